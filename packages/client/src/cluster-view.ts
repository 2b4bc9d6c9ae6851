import type { Endpoint } from "./endpoint.ts";

/** What the client knows of one place where the cluster may be asked. */
export interface ViewMember {
  readonly endpoint: Endpoint;
  /** False if a redirect named it. */
  readonly configured: boolean;
  /** Attempts in a row that were of no use. */
  readonly failures: number;
  /** On the client's clock; it is not asked before. 0 if there is nothing to wait for. */
  readonly retryAtMs: number;
}

/** The cluster as the client sees it: an immutable value that every answer replaces as a whole. */
export interface ClusterView {
  /** Address of the member that last answered as leader, or was named as leader. */
  readonly leader: string | null;
  /** The configured ones in their order, then those that redirects named, oldest first. */
  readonly members: readonly ViewMember[];
}

/** Most members that are remembered from redirects. */
export const learnedMembersMax = 16;

export function initialView(endpoints: readonly Endpoint[]): ClusterView {
  return { leader: null, members: endpoints.map((endpoint) => ({ endpoint, configured: true, failures: 0, retryAtMs: 0 })) };
}

/**
 * Whom to ask at `nowMs`: the known leader, or the first member in order, in each case only if it may be asked again by then.
 * Null: wait until `nextAttemptMs` or for a new view.
 */
export function selectMember(view: ClusterView, need: "leader" | "any", nowMs: number): ViewMember | null {
  const suits = (member: ViewMember): boolean => need === "any" || member.endpoint.address === view.leader;
  return view.members.find((member) => suits(member) && member.retryAtMs <= nowMs) ?? null;
}

/** The earliest time at which some member may be asked. */
export function nextAttemptMs(view: ClusterView): number {
  return Math.min(...view.members.map((member) => member.retryAtMs));
}

/** `address` answered as the leader. The cluster works: failures in a row end, also those of others. The same view if that is no news. */
export function withAnswer(view: ClusterView, address: string): ClusterView {
  if (view.leader === address && view.members.every(({ failures }) => failures === 0)) return view;
  const members = view.members.map((member) => ({
    ...member,
    failures: 0,
    retryAtMs: member.endpoint.address === address ? 0 : member.retryAtMs,
  }));
  return { leader: address, members };
}

/** Some member named `leader` as the leader. Its history of failures stays. */
export function withLeader(view: ClusterView, leader: Endpoint): ClusterView {
  if (view.members.some((member) => member.endpoint.address === leader.address)) return { ...view, leader: leader.address };
  const learned = view.members.filter((member) => !member.configured).slice(1 - learnedMembersMax);
  const added: ViewMember = { endpoint: leader, configured: false, failures: 0, retryAtMs: 0 };
  return { leader: leader.address, members: [...view.members.filter((member) => member.configured), ...learned, added] };
}

/** An attempt at `address` was of no use: it is left alone until `retryAtMs`, and is not taken for the leader any more. */
export function withFailure(view: ClusterView, address: string, retryAtMs: number): ClusterView {
  const members = view.members.map((member) =>
    member.endpoint.address === address ? { ...member, failures: member.failures + 1, retryAtMs } : member,
  );
  return { leader: view.leader === address ? null : view.leader, members };
}

export function memberAt(view: ClusterView, address: string): ViewMember | null {
  return view.members.find((member) => member.endpoint.address === address) ?? null;
}
