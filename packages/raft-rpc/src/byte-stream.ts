import type { PeerIdentity } from "./peer-identity.ts";

/** With this a stream closes whose other end began as it should, and failed before a byte could be handed out: in the handshake of TLS. */
export class HandshakeError extends Error {
  override readonly name: string = "HandshakeError";
}

export interface ByteStreamHandlers {
  /** The bytes may be kept; nobody writes into them afterwards. */
  onData(bytes: Uint8Array): void;
  /** What was written has left; `write` may be used again. */
  onDrain(): void;
  /** Called once, whoever closed. Nothing is called afterwards. */
  onClose(error: Error | null): void;
}

/**
 * An ordered stream of bytes in both directions: a TCP or TLS socket, or a simulated one. All of raft-rpc but `node/` works on this, so that
 * the same protocol code runs in a deterministic simulator. A `Connection` of raft-node's ports has the same shape and fits.
 */
export interface ByteStream {
  /** `host:port` of the other end, for people. */
  readonly remoteAddress: string;
  /** Who the other end is, if it proved that by a certificate. */
  readonly peer?: PeerIdentity | null;
  /** Must be called in the turn in which the stream was handed out. May be called again to hand the stream on. */
  setHandlers(handlers: ByteStreamHandlers): void;
  /** Takes the bytes in any case; false asks to stop until `onDrain`. The caller does not write into them while `holdsWritten` is not false. */
  write(bytes: Uint8Array): boolean;
  /** May anything that was written still be read? A stream that does not say keeps it for good. */
  readonly holdsWritten?: boolean;
  /** Stops and resumes `onData`. */
  pause(): void;
  resume(): void;
  /** Closes after what was written has left. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}
