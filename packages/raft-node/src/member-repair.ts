import type { RaftCore } from "@raftkv/raft-core";
import type { LogStore, LostEntries } from "./log-store.ts";
import type { Logger } from "./ports.ts";

export interface MemberRepairOptions {
  readonly core: Pick<RaftCore, "endRepair">;
  readonly logStore: Pick<LogStore, "recovered" | "endRepair">;
  readonly logger: Logger;
  /** The end of the repair is durable, and the next turn takes it. */
  readonly onRecorded: () => void;
  /** The store could not make it durable. */
  readonly onFailure: (error: Error) => void;
}

/** `recording`: the core has everything again, and the store makes that durable. `recorded`: the core is not told yet. */
type RepairState = "catchingUp" | "recording" | "recorded" | "ended";

/**
 * The way back to a vote of a member whose store lost entries that it may have acknowledged:
 *
 * ```text
 *   catchingUp ──Ready.isRepaired──► recording ──durable──► recorded ──next turn──► ended
 *   follows, stores, applies; gives no vote, and no quorum counts it                takes part
 * ```
 *
 * The store is told first, so that the repair is over from one moment on, whether this process goes on or another one opens the store.
 */
export class MemberRepair {
  private readonly options: MemberRepairOptions;
  private readonly lost: LostEntries | null;
  private state: RepairState;

  constructor(options: MemberRepairOptions) {
    this.options = options;
    this.lost = options.logStore.recovered.lost;
    this.state = this.lost === null ? "ended" : "catchingUp";
    if (this.lost === null) return;
    const { from, description } = this.lost;
    options.logger.error("lost entries that it may have acknowledged, and gives no vote before a leader has sent them again", {
      from,
      description,
    });
  }

  /** What is lost and not yet there again, null for a sound member. */
  get missing(): LostEntries | null {
    return this.isUnderWay ? this.lost : null;
  }

  get isUnderWay(): boolean {
    return this.state !== "ended";
  }

  /** The core has found that everything is there again. */
  record(): void {
    this.state = "recording";
    const { logStore, onRecorded, onFailure } = this.options;
    logStore.endRepair().then(
      () => {
        this.state = "recorded";
        onRecorded();
      },
      (error: unknown) => onFailure(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** Before what has arrived is taken: from here on the member votes, if the store knows that it may. */
  takeRecorded(): void {
    if (this.state !== "recorded") return;
    this.state = "ended";
    this.options.core.endRepair();
    this.options.logger.info("has everything again that it may have acknowledged, and takes part from now on", { from: this.lost?.from });
  }
}
