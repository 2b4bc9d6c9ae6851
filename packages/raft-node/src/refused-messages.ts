import type { PeerMessage, StepRejection } from "@raftkv/raft-core";
import type { Logger } from "./ports.ts";

/** Counts what peers sent and could not truthfully say: one that is broken can send much of it, and one line in each tick is enough. */
export class RefusedMessages {
  private readonly logger: Logger;
  private count = 0;
  private last: { readonly type: string; readonly from: number; readonly reason: StepRejection } | null = null;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  add({ type, from }: PeerMessage, reason: StepRejection): void {
    this.count++;
    this.last = { type, from, reason };
  }

  /** At each tick. */
  report(): void {
    if (this.last === null) return;
    this.logger.warn("refused messages of a peer", { count: this.count, ...this.last });
    this.count = 0;
    this.last = null;
  }
}
