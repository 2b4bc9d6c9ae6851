import type { Metadata, ReadonlyMetadata } from "../grpc/metadata.ts";
import type { StatusCode } from "../grpc/status.ts";
import type { PeerIdentity } from "../peer-identity.ts";

/** What every call on the server has. */
export interface CallInfo {
  /** `/etcdserverpb.KV/Range`. */
  readonly path: string;
  /** Of the request, without the protocol's own headers. */
  readonly metadata: ReadonlyMetadata;
  /** `:authority` (or `host`) as the client sent it. */
  readonly authority: string;
  /** `host:port` of the client, for people. */
  readonly remoteAddress: string;
  /** Who the client is, if it showed a certificate that was verified; null otherwise. */
  readonly peer: PeerIdentity | null;
  /** On the server's clock (`monotonicMs`); Infinity if the client gave none. */
  readonly deadlineMs: number;
  /** The client went away, cancelled or its deadline passed: nothing that is sent will arrive. */
  readonly cancelled: boolean;
}

/**
 * A unary call, as the hot path sees it. Exactly one of `respond` and `fail` is called, once, now or later; after a cancellation the
 * answer is dropped, but it is still expected: until then the call counts as running (CVE-2023-44487).
 */
export interface UnaryCall extends CallInfo {
  /** Called once if the call is cancelled before it was answered. */
  onCancel: (() => void) | null;
  /** The message is not changed afterwards. Leaves with the other frames of this turn. */
  respond(message: Uint8Array, trailers?: Metadata): void;
  fail(code: StatusCode, message: string, trailers?: Metadata): void;
  /** `fail` with anything that was caught: an RpcError as it is, anything else as UNKNOWN, told to the server's `onHandlerError`. */
  failWith(reason: unknown): void;
  /** Goes out before the response. Throws if something was sent already. */
  sendMetadata(metadata: Metadata): void;
}

export interface StreamCallHandlers {
  /** One message of the client; a view that may be kept. Not called while paused. */
  onMessage(message: Uint8Array): void;
  /** The client will send nothing more. It still reads. */
  onEnd(): void;
  /** The call ended without our status: cancelled, deadline, connection lost, or malformed input. Last call. */
  onCancel(): void;
  /** `send` may be used again after it returned false. */
  onDrain(): void;
}

/** A call of any streaming kind, as a push API with back-pressure in both directions. */
export interface StreamCall extends CallInfo {
  /** Must be called inside the handler that got the call. */
  setHandlers(handlers: StreamCallHandlers): void;
  sendMetadata(metadata: Metadata): void;
  /** Takes the message in any case, it is not changed afterwards; false asks to stop until `onDrain`. */
  send(message: Uint8Array): boolean;
  /** Stops and resumes `onMessage`: the client's window closes after `streamWindowBytes`. */
  pause(): void;
  resume(): void;
  /** Ends the call with a status after what was sent. Default OK. */
  end(code?: StatusCode, message?: string, trailers?: Metadata): void;
  /** `end` with anything that was caught: an RpcError as it is, anything else as UNKNOWN, told to the server's `onHandlerError`. */
  failWith(reason: unknown): void;
}
