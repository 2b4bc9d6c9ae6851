import type { LogStore } from "./log-store.ts";
import type { Logger } from "./ports.ts";

/** A durable write that takes longer than this is written down, and again each time its age has doubled. */
const SLOW_WRITE_MS = 1_000;

export interface DiskWatchOptions {
  readonly logStore: Pick<LogStore, "metrics">;
  readonly logger: Logger;
  /** A leader whose disk takes no write for so long hands over. */
  readonly electionMs: number;
  /** Called again while the disk stands still, once in each election time-out. */
  readonly onStalledLeader: () => void;
}

/**
 * Looks at the age of the durable write under way. A leader whose disk hangs keeps its office: its heartbeats leave, and what it proposes is
 * committed by the others. But it applies only what is on its own disk, so whoever waits for it waits for that disk; another member
 * does better.
 */
export class DiskWatch {
  private readonly options: DiskWatchOptions;
  private nextWarningMs = SLOW_WRITE_MS;
  private nextHandOverMs: number;
  private lastAgeMs = 0;

  constructor(options: DiskWatchOptions) {
    this.options = options;
    this.nextHandOverMs = options.electionMs;
  }

  /** At each tick. */
  tick(isLeader: boolean): void {
    const { logStore, logger, electionMs, onStalledLeader } = this.options;
    const { writeAgeMs } = logStore.metrics();
    if (writeAgeMs < this.lastAgeMs) this.writeEnded();
    this.lastAgeMs = writeAgeMs;
    if (writeAgeMs >= this.nextWarningMs) {
      logger.warn("waits for its disk", { writeAgeMs: Math.round(writeAgeMs) });
      while (this.nextWarningMs <= writeAgeMs) this.nextWarningMs *= 2;
    }
    if (isLeader && writeAgeMs >= this.nextHandOverMs) {
      this.nextHandOverMs = writeAgeMs + electionMs;
      onStalledLeader();
    }
  }

  /** The write that was looked at last; another one may be under way already. */
  private writeEnded(): void {
    if (this.lastAgeMs >= SLOW_WRITE_MS)
      this.options.logger.warn("ended a slow write to its disk", { writeAgeMs: Math.round(this.lastAgeMs) });
    this.nextWarningMs = SLOW_WRITE_MS;
    this.nextHandOverMs = this.options.electionMs;
  }
}
