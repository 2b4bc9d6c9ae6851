import { applyChange, type Configuration, type ConfigurationChange, type SnapshotMeta } from "@raftkv/raft-core";
import { EntryApplier } from "./entry-applier.ts";
import type { LogReplay } from "./log-store.ts";
import type { Clock, Logger } from "./ports.ts";
import type { SnapshotPolicy } from "./snapshot-policy.ts";
import type { StateMachine } from "./state-machine.ts";

/** Commands that the state machine gets to prepare for at once. */
const GROUP_COMMANDS = 16;

/** Nobody waits for what an earlier life of the member proposed. */
const noRequests = { proposals: { ownSequence: () => -1, applied: () => {} }, changes: { applied: () => {} } };

export interface ReplayOptions<Result> {
  readonly stateMachine: StateMachine<Result>;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly logger: Logger;
  /** Counts what is applied. */
  readonly policy: SnapshotPolicy;
  /** That the state machine stands at. */
  readonly snapshot: SnapshotMeta;
}

/**
 * Applies committed entries while they are read, before there is a core: it need never hold them all. Returns where the state machine
 * stands then, and the members there. Rejects if the entries can't be read, or don't lead where they should.
 */
export async function replayLog<Result>(replay: LogReplay, options: ReplayOptions<Result>): Promise<SnapshotMeta> {
  const { stateMachine, clock, logger, policy, snapshot } = options;
  const startMs = clock.monotonicMs();
  let { index, term, configuration } = snapshot;
  const change = (wanted: ConfigurationChange): Configuration => {
    const result = applyChange(configuration, wanted);
    if (result.ok) configuration = result.configuration;
    return configuration;
  };
  const applier = new EntryApplier({ core: { applyChange: change }, stateMachine, requests: noRequests, onConfiguration: () => {} });
  for await (const entries of replay.entries()) {
    let commands = 0;
    for (const entry of entries) {
      if (entry.index !== index + 1) throw new Error(`The log goes on with entry ${entry.index} after entry ${index}`);
      do {
        commands += applier.apply(entry, GROUP_COMMANDS);
      } while (applier.isInsideEntry);
      ({ index, term } = entry);
    }
    policy.applied(entries, commands);
    stateMachine.reclaim?.();
  }
  const { last } = replay;
  if (last.index !== index || last.term !== term) {
    throw new Error(`The log ends with entry ${index} of term ${term}, expected ${last.index} of term ${last.term}`);
  }
  logger.info("applied the log behind the snapshot", {
    from: snapshot.index + 1,
    to: index,
    ms: Math.round(clock.monotonicMs() - startMs),
  });
  return { index, term, configuration };
}
