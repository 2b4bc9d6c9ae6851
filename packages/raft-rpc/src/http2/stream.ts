import { MessageInput } from "../grpc/message-input.ts";
import { Fifo } from "./fifo.ts";
import type { ErrorCode } from "./frame.ts";

/**
 * RFC 9113 5.1, without the states of push.
 *
 *   idle --> open -- END_STREAM sent --> halfClosedLocal --+
 *             |                                            +--> closed
 *             +----- END_STREAM read --> halfClosedRemote -+        (RST_STREAM, sent or read: closed at once)
 */
export type StreamState = "idle" | "open" | "halfClosedLocal" | "halfClosedRemote" | "closed";

/** Why a stream ended without its regular end. */
export type AbortReason =
  | { readonly kind: "resetByPeer"; readonly code: number }
  /** The peer broke a rule on this stream, and we reset it. */
  | { readonly kind: "resetByUs"; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: "connectionLost"; readonly error: Error | null };

/** One call's stream. `SendSide` empties its queue; server and client streams say what messages mean. */
export abstract class Http2Stream extends MessageInput {
  state: StreamState = "idle";
  /** What the peer announced, -1 if nothing, and how much DATA came of it. */
  contentLength = -1;
  dataBytes = 0;

  /** Send window, without the peer's INITIAL_WINDOW_SIZE, which is one offset for all streams of a connection (RFC 9113 6.9.2). */
  sendCredit = 0;
  /** What the next DATA frames consist of: prefixes and messages. */
  sendQueue: Fifo<Uint8Array> | null = null;
  /** Bytes of the first piece that were sent. */
  sendOffset = 0;
  sendQueueBytes = 0;
  /** What follows the queue: nothing yet, END_STREAM on the last DATA, or trailers. */
  ending: "none" | "data" | "trailers" = "none";
  finalBlock: Uint8Array | null = null;
  /** Is it in the send side's ring of streams that can go on? */
  inReadyRing = false;
  /** `send` returned false: the user waits for the drain. */
  waitsForDrain = false;

  /** The send queue has room again after `send` returned false. */
  abstract sendDrained(): void;
  /** The stream is closed; nothing more comes or goes. */
  abstract aborted(reason: AbortReason): void;

  get remoteEnded(): boolean {
    return this.state === "halfClosedRemote" || this.state === "closed";
  }

  /** Appends a message behind what waits. */
  enqueue(prefix: Uint8Array, message: Uint8Array): void {
    this.sendQueue ??= new Fifo();
    this.sendQueue.push(prefix);
    if (message.length > 0) this.sendQueue.push(message);
    this.sendQueueBytes += prefix.length + message.length;
  }
}
