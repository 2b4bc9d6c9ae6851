import type { Configuration, CoreStart, LogEntry, NodeId, SnapshotMeta } from "@raftkv/raft-core";
import { EntriesLostError } from "./entries-lost-error.ts";
import { replayLog } from "./log-replay.ts";
import type { ResolvedNodeOptions } from "./node-options.ts";
import type { Random } from "./ports.ts";
import { SnapshotPolicy } from "./snapshot-policy.ts";

/** What a member starts from. */
export interface NodeStart {
  readonly core: CoreStart;
  /** Knows the snapshot that the state machine was restored from, and what was applied since. */
  readonly snapshotPolicy: SnapshotPolicy;
}

/**
 * What the core starts from, as the store has it; on the way the state machine is restored, and applies what the store does not hold in
 * memory. Rejects if the newest snapshot or the log can't be read, if the store is empty, and with an EntriesLostError if it lost entries
 * that nobody else can have.
 */
export async function readNodeStart<Result>(options: ResolvedNodeOptions<Result>): Promise<NodeStart> {
  const { logStore, snapshotCount } = options;
  const { hardState, replay, entries, quarantine, lost, logBytes } = logStore.recovered;
  const restored = await restoreSnapshot(options);
  const snapshot = restored?.meta ?? null;
  const policy = new SnapshotPolicy(snapshotCount, restored?.bytes ?? 0, () => logBytes + logStore.metrics().bytes);
  const applied = replay === null || snapshot === null ? null : await replayLog(replay, { ...options, policy, snapshot });
  const configuration = snapshot?.configuration ?? options.founders;
  const isUntrusted = quarantine !== null || lost !== null;
  if (configuration === null || (snapshot === null && !isUntrusted)) {
    throw new Error("The log store is empty: a new member begins with bootstrapLog or with a leader's snapshot");
  }
  if (lost !== null && isAlone(options.id, configuration, entries)) {
    throw new EntriesLostError(lost, configuration.learners.map(options.nameOf));
  }
  const repairId = lost === null ? 0 : drawRepairId(options.random);
  return { core: { hardState, snapshot, applied, entries, configuration, quarantine, repairId }, snapshotPolicy: policy };
}

interface RestoredSnapshot {
  readonly meta: SnapshotMeta;
  readonly bytes: number;
}

async function restoreSnapshot<Result>({ logStore, stateMachine }: ResolvedNodeOptions<Result>): Promise<RestoredSnapshot | null> {
  const snapshot = await logStore.readSnapshot();
  if (snapshot === null) return null;
  try {
    await stateMachine.restore(snapshot.chunks());
  } finally {
    await snapshot.close();
  }
  return { meta: snapshot.meta, bytes: snapshot.sizeBytes };
}

/** The only one who can lead. A change of members that is left in the log may have brought others who have what is lost. */
function isAlone(id: NodeId, { voters, outgoing }: Configuration, entries: readonly LogEntry[]): boolean {
  if (voters.length !== 1 || voters[0] !== id || outgoing.length > 0) return false;
  return entries.every(({ kind }) => kind !== "configuration");
}

/** Tells this start of a member under repair from every other: 48 bits of chance, and not 0. */
function drawRepairId(random: Random): number {
  const half = 2 ** 24;
  return Math.max(1, random.below(half) * half + random.below(half));
}
