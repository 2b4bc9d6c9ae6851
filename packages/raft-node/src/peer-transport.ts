import type { InstallSnapshot, NodeId, PeerMessage } from "@raftkv/raft-core";

/** What a transport calls when something arrives or fails. */
export interface PeerTransportHandlers {
  onMessage(message: PeerMessage): void;
  /** The whole of a snapshot comes before its message reaches the core. Resolves when it is stored and was given to the core. */
  onSnapshot(message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Messages to this peer were lost. */
  onUnreachable(peer: NodeId): void;
}

/** Carries messages between members. May lose, never alters; order is kept per peer while a connection lasts. */
export interface PeerTransport {
  start(handlers: PeerTransportHandlers): void;
  /** Never blocks. What can't be sent is dropped and reported by `onUnreachable`. */
  send(messages: readonly PeerMessage[]): void;
  /** On a connection of its own. Resolves when the peer has stored it. */
  sendSnapshot(message: InstallSnapshot, sizeBytes: number, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  close(): Promise<void>;
}
