import { BATCH_MESSAGES_MAX, CodecError, decodePeerFrame, encodePeerFrame, peerMessageBytesMax } from "@raftkv/api";
import type { PeerMessage } from "@raftkv/raft-core";
import type { Clock, Logger, Timer } from "@raftkv/raft-node";
import type { Channel, ClientStreamCall, ClientStreamHandlers, RpcError } from "@raftkv/raft-rpc";
import { helloTo, type PeerIdentity } from "./peer-identity.ts";

/** A batch is cut here, so that it stays below what the receiver takes as one message. */
const batchBytesMax = 4 * 1024 * 1024;
/** What may wait in a stream that the peer does not read; above it messages are dropped. */
const congestedBytesMax = 32 * 1024 * 1024;
/** After a stream was refused or lost. */
const retryMs = 100;

export interface PeerLinkOptions {
  readonly self: PeerIdentity;
  readonly peerId: bigint;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Messages were lost. */
  readonly onLost: () => void;
}

type LinkState =
  | { readonly kind: "down" }
  /** Our Hello is on its way; messages are dropped until the peer's comes back. */
  | { readonly kind: "greeting"; readonly stream: ClientStreamCall }
  | { readonly kind: "up"; readonly stream: ClientStreamCall }
  | { readonly kind: "waiting"; readonly timer: Timer }
  | { readonly kind: "closed" };

/**
 * The way of this member's messages to one peer: a stream that is opened when it is needed and opened again after a loss. Raft
 * bears lost messages, so nothing is kept for a peer that can't be reached.
 */
export class PeerLink implements ClientStreamHandlers {
  private readonly options: PeerLinkOptions;
  private state: LinkState = { kind: "down" };
  /** Bytes since the stream asked to stop, 0 while it does not. */
  private congestedBytes = 0;
  private refusal = "";

  constructor(options: PeerLinkOptions) {
    this.options = options;
    this.open();
  }

  send(messages: readonly PeerMessage[]): void {
    if (this.state.kind !== "up" || this.congestedBytes > congestedBytesMax) {
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
    if (state.kind === "greeting" || state.kind === "up") state.stream.cancel();
  }

  onMetadata(): void {}

  /** The only frame that a peer sends on this stream is its Hello. */
  onMessage(bytes: Uint8Array): void {
    if (this.state.kind !== "greeting") return;
    const { stream } = this.state;
    const { peerId, logger } = this.options;
    const name = this.greetedBy(bytes);
    if (name === null) return stream.cancel();
    this.refusal = "";
    this.state = { kind: "up", stream };
    logger.info("connected to a peer", { peerId, name });
  }

  /** The name of the peer if this is its Hello, or null. */
  private greetedBy(bytes: Uint8Array): string | null {
    const { self, peerId } = this.options;
    try {
      const frame = decodePeerFrame(bytes);
      if (frame.type !== "hello" || frame.hello.clusterId !== self.clusterId || frame.hello.fromMember !== peerId) return null;
      return frame.hello.name;
    } catch (error) {
      if (error instanceof CodecError) return null;
      throw error;
    }
  }

  onDrain(): void {
    this.congestedBytes = 0;
  }

  onClose(error: RpcError | null): void {
    const { state } = this;
    if (state.kind === "closed") return;
    const { clock, logger, peerId, onLost } = this.options;
    const reason = error?.message ?? "the peer ended the stream";
    if (state.kind === "up") {
      logger.warn("lost a peer", { peerId, reason });
      onLost();
    } else if (reason !== this.refusal) {
      this.refusal = reason;
      logger.warn("a peer can't be reached", { peerId, reason });
    }
    this.congestedBytes = 0;
    this.state = { kind: "waiting", timer: clock.setTimer(retryMs, () => this.open()) };
  }

  private open(): void {
    const { self, peerId, channel } = this.options;
    const stream = channel.stream("/raftkv.peer.v1.RaftPeer/Exchange", this);
    this.state = { kind: "greeting", stream };
    stream.send(encodePeerFrame({ type: "hello", hello: helloTo(self, peerId) }));
  }

  private sendBatch(stream: ClientStreamCall, messages: readonly PeerMessage[]): void {
    const frame = encodePeerFrame({ type: "batch", messages });
    const hasRoom = stream.send(frame);
    if (!hasRoom || this.congestedBytes > 0) this.congestedBytes += frame.length;
  }
}
