import type { ForwardPropose, NodeId, RaftCore } from "@raftkv/raft-core";
import type { LeadershipTransfer } from "./leadership-transfer.ts";
import type { PeerTransport } from "./peer-transport.ts";

export interface ForwardedProposalsOptions {
  readonly self: NodeId;
  readonly core: Pick<RaftCore, "role" | "leader" | "step">;
  readonly transfer: Pick<LeadershipTransfer, "isUnderWay">;
  readonly transport: Pick<PeerTransport, "send">;
  /** Bytes that may be kept; what comes beyond is lost to its sender's deadline. */
  readonly bytesMax: number;
  /** How long something is kept: nobody waits for it any longer. */
  readonly timeoutMs: number;
}

interface Kept {
  readonly message: ForwardPropose;
  readonly bytes: number;
  readonly deadlineMs: number;
}

/**
 * Proposals that other members forwarded here while this one can't take them: it is handing leadership over, or does not lead any
 * more and its followers have not heard of it. The core would drop them, and their senders would wait in vain. They are kept until it is
 * clear who leads, and then go there, or into the own core.
 *
 * Each one leaves from here at most once and was never in this member's log, so none can be applied twice. None goes round in circles
 * either: a member that is taken for the leader of a term leads it or knows of a later one.
 */
export class ForwardedProposals {
  private readonly options: ForwardedProposalsOptions;
  private kept: Kept[] = [];
  private keptBytes = 0;

  constructor(options: ForwardedProposalsOptions) {
    this.options = options;
  }

  /** False if the core can take it now. */
  keep(message: ForwardPropose, nowMs: number): boolean {
    if (this.isWelcome) return false;
    let bytes = 0;
    for (const payload of message.payloads) bytes += payload.length;
    if (this.keptBytes > 0 && this.keptBytes + bytes > this.options.bytesMax) return true;
    this.kept.push({ message, bytes, deadlineMs: nowMs + this.options.timeoutMs });
    this.keptBytes += bytes;
    return true;
  }

  /** Lets go of what is kept if it is clear who leads. */
  passOn(): void {
    if (this.kept.length === 0) return;
    const { self, core, transport } = this.options;
    if (this.isWelcome) {
      for (const message of this.takeAll()) core.step(message);
    } else if (core.role === "follower" && core.leader !== 0) {
      const route = { from: self, to: core.leader };
      transport.send(this.takeAll().map((message) => ({ ...message, ...route })));
    }
  }

  expire(nowMs: number): void {
    while (this.kept[0] !== undefined && this.kept[0].deadlineMs <= nowMs) {
      this.keptBytes -= this.kept[0].bytes;
      this.kept.shift();
    }
  }

  private get isWelcome(): boolean {
    return this.options.core.role === "leader" && !this.options.transfer.isUnderWay;
  }

  private takeAll(): readonly ForwardPropose[] {
    const messages = this.kept.map(({ message }) => message);
    this.kept = [];
    this.keptBytes = 0;
    return messages;
  }
}
