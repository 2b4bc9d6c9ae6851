import type { NodeId, PeerMessage } from "@raftkv/raft-core";
import { laneOf } from "./message-lane.ts";

/**
 * What peers sent since the last turn. What elections, commits and reads wait for goes through the core before the entries that came
 * with it, as it came before them on the wire (see PeerTransport). Each of the two keeps its order.
 */
export class Inbox {
  private urgent: PeerMessage[] = [];
  private bulk: PeerMessage[] = [];
  private unreachable: NodeId[] = [];
  private down: NodeId[] = [];
  private lostStores: NodeId[] = [];

  add(message: PeerMessage): void {
    if (laneOf(message) === "urgent") this.urgent.push(message);
    else this.bulk.push(message);
  }

  /** Messages to this peer were lost. */
  addUnreachable(peer: NodeId): void {
    this.unreachable.push(peer);
  }

  /** The connection to this peer was reset. */
  addDown(peer: NodeId): void {
    this.down.push(peer);
  }

  /** This peer came with another store than it had. */
  addStoreLost(peer: NodeId): void {
    this.lostStores.push(peer);
  }

  /** Call it before the messages: what such a peer acknowledges counts no more, whichever of its stores it spoke for. */
  drainLostStores(handle: (peer: NodeId) => void): void {
    if (this.lostStores.length === 0) return;
    const { lostStores } = this;
    this.lostStores = [];
    for (const peer of lostStores) handle(peer);
  }

  /** Hands everything on that has come, and forgets it. */
  drainMessages(handle: (message: PeerMessage) => void): void {
    const { urgent, bulk } = this;
    if (urgent.length > 0) {
      this.urgent = [];
      for (const message of urgent) handle(message);
    }
    if (bulk.length > 0) {
      this.bulk = [];
      for (const message of bulk) handle(message);
    }
  }

  /** Call it after the messages: the last words of a peer come before the news that it fell silent. */
  drainLosses(handlers: { readonly onUnreachable: (peer: NodeId) => void; readonly onDown: (peer: NodeId) => void }): void {
    const { unreachable, down } = this;
    if (unreachable.length > 0) {
      this.unreachable = [];
      for (const peer of unreachable) handlers.onUnreachable(peer);
    }
    if (down.length > 0) {
      this.down = [];
      for (const peer of down) handlers.onDown(peer);
    }
  }
}
