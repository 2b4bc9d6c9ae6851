import type { RaftCore } from "@raftkv/raft-core";
import type { Clock, Timer } from "./ports.ts";

const waitMsMin = 1;
/** Under steady writes a timer that is set for each commit index would wake the process as often as they do, in vain. */
const waitMsMax = 4;

export interface CommitWaitOptions {
  readonly clock: Pick<Clock, "setTimer">;
  readonly core: Pick<RaftCore, "commit" | "isCommitUntold">;
  /** Followers have waited long enough. */
  readonly onOver: () => void;
}

/**
 * How long followers wait for the entries that take a commit index along, until it travels by itself (decision 0018): a millisecond, and up to
 * four while entries have come in time again and again (decision 0024). One that is reached while another waits has its own time after that.
 */
export class CommitWait {
  private readonly options: CommitWaitOptions;
  private timer: Timer | null = null;
  private waitMs = waitMsMin;

  constructor(options: CommitWaitOptions) {
    this.options = options;
  }

  /** Call it after each turn; it does nothing if all followers have been told, or one waits already. */
  begin(): void {
    const { clock, core } = this.options;
    const { commit } = core;
    if (this.timer !== null || !core.isCommitUntold(commit)) return;
    this.timer = clock.setTimer(this.waitMs, () => this.end(commit));
  }

  cancel(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private end(commit: number): void {
    this.timer = null;
    if (this.options.core.isCommitUntold(commit)) {
      this.waitMs = waitMsMin;
      this.options.onOver();
    } else {
      this.waitMs = Math.min(2 * this.waitMs, waitMsMax);
      this.begin();
    }
  }
}
