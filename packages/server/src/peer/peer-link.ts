import { BATCH_MESSAGES_MAX, CodecError, decodePeerFrame, encodePeerFrame, type Hello, peerMessageBytesMax } from "@raftkv/api";
import type { PeerMessage } from "@raftkv/raft-core";
import type { Clock, Logger, MessageLane, Timer } from "@raftkv/raft-node";
import { type Channel, type ClientStreamCall, type ClientStreamHandlers, type RpcError, StatusCode } from "@raftkv/raft-rpc";
import { idText } from "../cluster/identity.ts";
import type { MemberStores } from "../cluster/member-stores.ts";
import { helloRefusal, helloTo, type PeerIdentity, type PeerRefusal, storeRefusal } from "./peer-identity.ts";
import type { PeerTraffic } from "./peer-traffic.ts";

/** A batch is cut here, so that it stays below what the receiver takes as one message. */
const batchBytesMax = 4 * 1024 * 1024;
/** What may wait in a stream that the peer does not read; above it messages are dropped. */
const congestedBytesMax: Readonly<Record<MessageLane, number>> = { urgent: 1024 * 1024, bulk: 32 * 1024 * 1024 };
/** After a stream was refused or lost. */
const retryMs = 100;

export interface PeerLinkOptions {
  readonly self: PeerIdentity;
  readonly peerId: bigint;
  readonly lane: MessageLane;
  readonly stores: MemberStores;
  readonly traffic: PeerTraffic;
  /** For this link alone. */
  readonly channel: Channel;
  /** From our Hello to the peer's; then the stream is given up. */
  readonly greetingMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The peer answered, and it is the one that the cluster knows. */
  readonly onUp: () => void;
  /** Messages were lost. */
  readonly onLost: () => void;
  /** After `onUp`: the connection was reset, or the peer closed it. */
  readonly onDown: () => void;
  /** This member was refused for its store, whether it is the peer or answered in its place. */
  readonly onStoreLost: (member: bigint) => void;
}

type LinkState =
  | { readonly kind: "down" }
  /** Our Hello is on its way; messages are dropped until the peer's comes back. */
  | { readonly kind: "greeting"; readonly stream: ClientStreamCall; readonly deadline: Timer }
  | { readonly kind: "up"; readonly stream: ClientStreamCall; readonly storeId: bigint }
  | { readonly kind: "waiting"; readonly timer: Timer }
  | { readonly kind: "closed" };

/**
 * The way of this member's messages of one lane to one peer: a stream that is opened at once and opened again after a loss. Raft bears
 * lost messages, so nothing is kept for a peer that can't be reached.
 */
export class PeerLink implements ClientStreamHandlers {
  private readonly options: PeerLinkOptions;
  private state: LinkState = { kind: "down" };
  /** Bytes since the stream asked to stop, 0 while it does not. */
  private congestedBytes = 0;
  /** Why the peer was not reached the last time, so that it is logged once. */
  private refusal = "";
  /** Why this member itself gave the stream up, null if it did not. */
  private complaint: string | null = null;

  constructor(options: PeerLinkOptions) {
    this.options = options;
    this.open();
  }

  /** The peer has answered on this stream, and it is the one that the cluster knows. */
  get isUp(): boolean {
    return this.state.kind === "up";
  }

  send(messages: readonly PeerMessage[]): void {
    if (this.state.kind === "up") {
      const { stores, peerId } = this.options;
      const refusal = storeRefusal(peerId, this.state.storeId, stores);
      if (refusal !== null) return this.refuse(this.state.stream, peerId, refusal);
    }
    if (this.state.kind !== "up" || this.congestedBytes > congestedBytesMax[this.options.lane]) {
      this.options.traffic.sendFailures++;
      this.options.onLost();
      return;
    }
    let first = 0;
    let bytes = 0;
    for (const [at, message] of messages.entries()) {
      bytes += peerMessageBytesMax(message);
      if (at > first && (bytes > batchBytesMax || at - first === BATCH_MESSAGES_MAX)) {
        this.sendBatch(this.state.stream, messages.slice(first, at));
        first = at;
        bytes = peerMessageBytesMax(message);
      }
    }
    this.sendBatch(this.state.stream, first === 0 ? messages : messages.slice(first));
  }

  close(): void {
    const { state } = this;
    this.state = { kind: "closed" };
    if (state.kind === "waiting") state.timer.cancel();
    if (state.kind === "greeting") state.deadline.cancel();
    if (state.kind === "greeting" || state.kind === "up") state.stream.cancel();
  }

  onMetadata(): void {}

  /** The only frame that a peer sends on this stream is its Hello. */
  onMessage(bytes: Uint8Array): void {
    if (this.state.kind !== "greeting") return;
    const { stream, deadline } = this.state;
    const { self, peerId, lane, stores, logger, onUp } = this.options;
    const hello = helloIn(bytes);
    if (hello === null) return this.giveUp(stream, "its first frame is no Hello");
    const refusal = helloRefusal(hello, self, stores, [lane]);
    if (refusal !== null) return this.refuse(stream, hello.fromMember, refusal);
    if (hello.fromMember !== peerId) return this.giveUp(stream, `member ${idText(hello.fromMember)} answered`);
    deadline.cancel();
    stores.remember(peerId, hello.storeId);
    this.refusal = "";
    this.state = { kind: "up", stream, storeId: hello.storeId };
    logger.info("connected to a peer", { peerId, name: hello.name, lane });
    onUp();
  }

  private refuse(stream: ClientStreamCall, member: bigint, { kind, reason }: PeerRefusal): void {
    if (kind === "store_lost") this.options.onStoreLost(member);
    this.giveUp(stream, reason);
  }

  private giveUp(stream: ClientStreamCall, complaint: string): void {
    this.complaint = complaint;
    stream.cancel();
  }

  onDrain(): void {
    this.congestedBytes = 0;
  }

  onClose(error: RpcError | null): void {
    const { state } = this;
    if (state.kind === "closed") return;
    if (state.kind === "greeting") state.deadline.cancel();
    const { clock, logger, peerId, lane, onLost, onDown } = this.options;
    const reason = this.complaint ?? error?.message ?? "the peer ended the stream";
    this.complaint = null;
    if (state.kind === "up") {
      this.options.traffic.disconnects++;
      logger.warn("lost a peer", { peerId, lane, reason });
      // Every other status is the word of somebody who lives, and our own complaints end in CANCELLED.
      if (error?.code === StatusCode.UNAVAILABLE) onDown();
      onLost();
    } else if (reason !== this.refusal) {
      this.refusal = reason;
      logger.warn("a peer can't be reached", { peerId, lane, reason });
    }
    this.congestedBytes = 0;
    this.state = { kind: "waiting", timer: clock.setTimer(retryMs, () => this.open()) };
  }

  private open(): void {
    const { self, peerId, lane, channel, clock, greetingMs } = this.options;
    const stream = channel.stream("/raftkv.peer.v1.RaftPeer/Exchange", this);
    const deadline = clock.setTimer(greetingMs, () => this.giveUp(stream, this.silence()));
    this.state = { kind: "greeting", stream, deadline };
    stream.send(encodePeerFrame({ type: "hello", hello: helloTo(self, peerId, lane) }));
  }

  /** Why no Hello came: there was no connection, or the peer took ours and lost its power, or hangs. */
  private silence(): string {
    const { channel, greetingMs } = this.options;
    return channel.state.kind === "backOff" ? channel.state.error.message : `it did not say Hello within ${greetingMs} ms`;
  }

  private sendBatch(stream: ClientStreamCall, messages: readonly PeerMessage[]): void {
    const frame = encodePeerFrame({ type: "batch", messages });
    this.options.traffic.sentBytes += frame.length;
    const hasRoom = stream.send(frame);
    if (!hasRoom || this.congestedBytes > 0) this.congestedBytes += frame.length;
  }
}

function helloIn(bytes: Uint8Array): Hello | null {
  try {
    const frame = decodePeerFrame(bytes);
    return frame.type === "hello" ? frame.hello : null;
  } catch (error) {
    if (error instanceof CodecError) return null;
    throw error;
  }
}
