import type { InstallSnapshot, NodeId, PeerMessage } from "@raftkv/raft-core";

/** What a transport calls when something arrives or fails. */
export interface PeerTransportHandlers {
  onMessage(message: PeerMessage): void;
  /** The whole of a snapshot comes before its message reaches the core. Resolves when it is stored and was given to the core. */
  onSnapshot(message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Appends or proposals to this peer were lost. Of urgent messages nobody is told: their senders repeat what they need. */
  onUnreachable(peer: NodeId): void;
  /**
   * A connection that was good was reset by this peer or closed: it may have died, or it stops. Called at once, and once until it was
   * connected again; `onUnreachable` is called besides if messages were lost.
   */
  onPeerDown(peer: NodeId): void;
  /**
   * This peer was refused because its store is not the one that the cluster knows: what it acknowledged may be gone. Called at each
   * refusal, and never for this member itself.
   */
  onStoreLost(peer: NodeId): void;
}

/**
 * Carries messages between members. May lose, never alters. Appends and forwarded proposals keep their order among themselves while a
 * connection lasts, and so do the urgent ones: heartbeats, votes, acknowledgements, reads and transfers of leadership (`laneOf`). Urgent
 * messages never wait behind the others and may overtake them.
 */
export interface PeerTransport {
  start(handlers: PeerTransportHandlers): void;
  /** Whether the peer has answered on a connection that is not known to be lost. */
  isConnected(peer: NodeId): boolean;
  /** Never blocks. What can't be sent is dropped. */
  send(messages: readonly PeerMessage[]): void;
  /** On a connection of its own. Resolves when the peer has stored it. */
  sendSnapshot(message: InstallSnapshot, sizeBytes: number, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  close(): Promise<void>;
}
