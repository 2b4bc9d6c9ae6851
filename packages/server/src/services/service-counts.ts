import type { NodeError } from "@raftkv/raft-node";
import { ClassCounter, doublingBounds } from "../metrics/class-counter.ts";

const hashBounds = doublingBounds(0.01, 15);

/** What the services do, as far as no call's counters tell, as plain fields that only grow. */
export class ServiceCounts {
  /** Reads through this member that ran out of time before a majority had confirmed the leader. */
  timedOutReads = 0;
  /** Those that failed for another reason. */
  failedReads = 0;
  /** Seconds that hashes took: of everything, and up to a revision. */
  readonly hashes = new ClassCounter(hashBounds);
  readonly revisionHashes = new ClassCounter(hashBounds);
  /** Seconds that snapshots took on their way to clients. */
  readonly snapshots = new ClassCounter(doublingBounds(0.01, 17));

  readFailed({ code }: NodeError): void {
    if (code === "ERR_TIMED_OUT" || code === "ERR_NO_LEADER") this.timedOutReads++;
    else this.failedReads++;
  }
}
