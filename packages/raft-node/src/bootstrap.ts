import type { Configuration } from "@raftkv/raft-core";
import type { LogStore } from "./log-store.ts";
import type { StateMachine } from "./state-machine.ts";

/**
 * A store whose log has no beginning: nothing was ever written to it, its founding was interrupted when only the term was written, or
 * damage took every snapshot.
 */
export function isEmptyLog(logStore: LogStore): boolean {
  const { snapshot, entries, quarantine, lost } = logStore.recovered;
  if (snapshot !== null || quarantine !== null) return false;
  return lost !== null || entries.length === 0;
}

/**
 * Begins the log of a new cluster. Each founding member calls it once on an empty store with the same configuration and the same
 * initial state, then closes the store and opens it again. The cluster's history starts from a snapshot at index 1 that every
 * founder makes by itself and that is the same everywhere, so that configuration and initial state are on disk before the
 * first vote, and late joiners get them the way they get everything else.
 *
 * A founder whose store lost everything but term and vote begins again in the same way, keeps both, and gets the rest from a leader.
 */
export async function bootstrapLog<Result>(
  logStore: LogStore,
  configuration: Configuration,
  stateMachine: StateMachine<Result>,
): Promise<void> {
  if (!isEmptyLog(logStore)) throw new Error("Only an empty log store can be bootstrapped");
  const meta = { index: 1, term: 1, configuration };
  const image = stateMachine.snapshot(meta.index);
  try {
    await logStore.receiveSnapshot(meta, image.chunks());
  } finally {
    image.close();
  }
  const { term, vote } = logStore.recovered.hardState;
  await logStore.installSnapshot(meta, { term: Math.max(term, meta.term), vote, commit: meta.index });
}
