import type { PeerMessage } from "./messages.ts";
import type { ReadResult } from "./types.ts";

const NO_MESSAGES: readonly PeerMessage[] = [];
const NO_READS: readonly ReadResult[] = [];

/**
 * What leaves with the next Ready. Messages that promise something about this member's disk wait for it: they leave only when
 * everything handed out up to then is durable (dissertation 3.8).
 */
export class Outbox {
  private immediate: PeerMessage[] = [];
  private gated: PeerMessage[] = [];
  private reads: ReadResult[] = [];

  send(message: PeerMessage): void {
    this.immediate.push(message);
  }

  sendWhenDurable(message: PeerMessage): void {
    this.gated.push(message);
  }

  answerRead(result: ReadResult): void {
    this.reads.push(result);
  }

  /** Nothing that waits here may be said any more. */
  dropMessages(): void {
    this.immediate = [];
    this.gated = [];
  }

  get hasImmediate(): boolean {
    return this.immediate.length > 0;
  }

  get hasGated(): boolean {
    return this.gated.length > 0;
  }

  get hasReads(): boolean {
    return this.reads.length > 0;
  }

  takeImmediate(): readonly PeerMessage[] {
    if (this.immediate.length === 0) return NO_MESSAGES;
    const messages = this.immediate;
    this.immediate = [];
    return messages;
  }

  takeGated(): readonly PeerMessage[] {
    if (this.gated.length === 0) return NO_MESSAGES;
    const messages = this.gated;
    this.gated = [];
    return messages;
  }

  takeReads(): readonly ReadResult[] {
    if (this.reads.length === 0) return NO_READS;
    const reads = this.reads;
    this.reads = [];
    return reads;
  }
}
