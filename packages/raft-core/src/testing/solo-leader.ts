import type { PeerMessage } from "../messages.ts";
import type { NodeId, PeerStatus } from "../types.ts";
import { accept, becomeLeader, exchange, type SoloSetup, soloMember } from "./solo-member.ts";
import type { TestMember } from "./test-member.ts";

/** Member 1 as leader, and all the others hold its log and have answered: everything is committed and applied. */
export function soloLeader(setup: SoloSetup): TestMember {
  const member = soloMember(setup);
  becomeLeader(member);
  exchange(member, ...acceptances(member));
  return member;
}

/** Everybody else acknowledges all that the leader has. */
export function acceptances(leader: TestMember): readonly PeerMessage[] {
  const { core } = leader;
  const others = core.status().peers.filter((peer) => peer.id !== leader.id);
  return others.map((peer) => accept(peer.id, { term: core.term, index: core.lastIndex }));
}

/** What a leader knows of one member. */
export function peerStatus(leader: TestMember, id: NodeId): PeerStatus {
  const peer = leader.core.status().peers.find((status) => status.id === id);
  if (peer === undefined) throw new Error(`Member ${leader.id} does not track member ${id}`);
  return peer;
}

export function sentTo(messages: readonly PeerMessage[], id: NodeId): readonly PeerMessage[] {
  return messages.filter((message) => message.to === id);
}
