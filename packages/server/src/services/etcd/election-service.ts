import { create, v3electionpb } from "@raftkv/api";
import type { WatchHub } from "@raftkv/kvstore";
import type { RpcError, ServiceImpl } from "@raftkv/raft-rpc";
import type { LeaderLoss } from "../../watch/leader-loss.ts";
import type { ServiceContext } from "../service-context.ts";
import { ElectionObservation, keyValueMessage } from "./election-observation.ts";
import { etcdErrors, rpcError, withEtcdErrors } from "./etcd-error.ts";
import { headerMessage } from "./header-message.ts";
import { lockError, withLockErrors } from "./lock-error.ts";
import type { LockQueue, QueueEntry, QueuePlace } from "./lock-queue.ts";

const { CampaignResponseSchema, LeaderResponseSchema, ProclaimResponseSchema, ResignResponseSchema } = v3electionpb;

export interface ElectionServiceOptions {
  readonly context: ServiceContext;
  readonly queue: LockQueue;
  readonly hub: Pick<WatchHub, "watch" | "cancel" | "resume">;
  readonly leaderLoss: LeaderLoss;
}

/** `v3electionpb.Election`: the queue of a lock, in which each candidate has a value and the oldest leads. */
export function electionService(options: ElectionServiceOptions): ServiceImpl<typeof v3electionpb.electionService> {
  const { context, queue, hub, leaderLoss } = options;
  const header = (revision: number): ReturnType<typeof headerMessage> => headerMessage(context, revision);

  return {
    campaign: ({ name, lease: given, value }, call) =>
      withLockErrors(async () => {
        const lease = await queue.leaseFor(given);
        const { place, revision } = await candidacy(queue, { name, lease, value });
        if ((await queue.waitForTurn(name, place, call.signal)) === "gone") throw notLeader();
        const leader = { name, key: place.key, rev: BigInt(place.createRevision), lease };
        // As etcd: the header is of the moment at which the candidate entered the queue.
        return create(CampaignResponseSchema, { header: header(revision), leader });
      }),
    proclaim: ({ leader, value }) =>
      withLockErrors(async () => {
        const { place, lease } = placeOf(leader);
        const revision = await queue.replaceValue(place, value, await queue.leaseFor(lease));
        if (revision === null) throw notLeader();
        return create(ProclaimResponseSchema, { header: header(revision) });
      }),
    leader: ({ name }) =>
      withLockErrors(async () => {
        await withEtcdErrors(context.node.readBarrier());
        const owner = queue.owner(name);
        if (owner === null) throw lockError("election: no leader");
        return create(LeaderResponseSchema, { header: header(context.state.store.revision), kv: keyValueMessage(owner) });
      }),
    resign: ({ leader }) =>
      withLockErrors(async () => create(ResignResponseSchema, { header: header(await queue.leave(placeOf(leader).place)) })),
    async *observe({ name }, call) {
      await withLockErrors(() => withEtcdErrors(context.node.readBarrier()));
      const leaderless = new AbortController();
      const wantsLeader = call.metadata.get("hasleader") === "true";
      const stopListening = wantsLeader ? leaderLoss.listen(() => leaderless.abort()) : () => undefined;
      const signal = AbortSignal.any([queue.until(call.signal), leaderless.signal]);
      try {
        const observation = new ElectionObservation({ context, queue, hub, name, signal });
        for await (const { revision, kv } of observation.leaders()) yield create(LeaderResponseSchema, { header: header(revision), kv });
        throw rpcError(leaderless.signal.aborted ? etcdErrors.noLeader : etcdErrors.stopped);
      } finally {
        stopListening();
      }
    },
  };
}

/** Enters the queue. A candidate that stands already gets the new value. */
async function candidacy(
  queue: LockQueue,
  { name, lease, value }: { readonly name: Uint8Array; readonly lease: bigint; readonly value: Uint8Array },
): Promise<QueueEntry> {
  const entry = await queue.enter(name, lease, value);
  const { place, existing } = entry;
  const isOther = existing !== null && !Buffer.from(existing.value).equals(value);
  if (isOther && (await queue.replaceValue(place, value, lease)) === null) throw notLeader();
  return entry;
}

function placeOf(leader: v3electionpb.LeaderKey | undefined): { readonly place: QueuePlace; readonly lease: bigint } {
  if (leader === undefined) throw lockError('"leader" field must be provided');
  // Revisions are safe integers from 0 up; no key was ever made at another one.
  const isRevision = leader.rev >= 0n && leader.rev <= BigInt(Number.MAX_SAFE_INTEGER);
  const createRevision = isRevision ? Number(leader.rev) : -1;
  return { place: { key: leader.key, createRevision }, lease: leader.lease };
}

function notLeader(): RpcError {
  return lockError("election: not leader");
}
