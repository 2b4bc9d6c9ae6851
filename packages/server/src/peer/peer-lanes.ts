import type { PeerMessage } from "@raftkv/raft-core";
import { type Clock, type Logger, laneOf, type MessageLane } from "@raftkv/raft-node";
import type { Channel } from "@raftkv/raft-rpc";
import type { MemberStores } from "../cluster/member-stores.ts";
import type { PeerIdentity } from "./peer-identity.ts";
import { PeerLink } from "./peer-link.ts";
import { PeerProbe } from "./peer-probe.ts";
import type { PeerTraffic } from "./peer-traffic.ts";

export interface PeerLanesOptions {
  readonly self: PeerIdentity;
  readonly peerId: bigint;
  readonly stores: MemberStores;
  readonly traffic: PeerTraffic;
  /** As PeerLinkOptions has it. */
  readonly greetingMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Makes a channel to the peer. Each lane has one. */
  readonly openChannel: () => Channel;
  /** Bulk was lost. */
  readonly onUnreachable: () => void;
  /** A lane was up and the peer reset or closed it. Not called again before one is up again: a peer that dies takes both with it. */
  readonly onDown: () => void;
  /** This member was refused for its store. */
  readonly onStoreLost: (member: bigint) => void;
}

/**
 * The way of this member's messages to one peer. Both lanes have a connection of their own, so that what is small and urgent waits neither
 * behind megabytes of entries in this member's queues nor in the kernel's, nor for a peer that is slow to take them.
 */
export class PeerLanes {
  private readonly channels: readonly Channel[];
  private readonly probe: PeerProbe;
  private readonly links: Readonly<Record<MessageLane, PeerLink>>;
  /** What was added since the last flush. */
  private readonly waiting: Record<MessageLane, PeerMessage[]> = { urgent: [], bulk: [] };
  /** The peer answered on a lane since it was last found to be down. */
  private hasAnswered = false;

  constructor(options: PeerLanesOptions) {
    const { openChannel, onUnreachable, onDown, ...shared } = options;
    const urgent = openChannel();
    const bulk = openChannel();
    const events = {
      onUp: () => {
        this.hasAnswered = true;
      },
      onDown: () => {
        if (!this.hasAnswered) return;
        this.hasAnswered = false;
        onDown();
      },
    };
    this.channels = [urgent, bulk];
    this.probe = new PeerProbe({
      channel: urgent,
      clock: options.clock,
      isUp: () => this.links.urgent.isUp,
      roundTrips: options.traffic.roundTrips,
    });
    this.links = {
      urgent: new PeerLink({ ...shared, ...events, lane: "urgent", channel: urgent, onLost: () => undefined }),
      bulk: new PeerLink({ ...shared, ...events, lane: "bulk", channel: bulk, onLost: onUnreachable }),
    };
  }

  /** The peer takes bulk, and it is the one that the cluster knows. */
  get isUp(): boolean {
    return this.links.bulk.isUp;
  }

  /** Keeps a message for the next `flush` of its lane. */
  add(message: PeerMessage): void {
    this.waiting[laneOf(message)].push(message);
  }

  flush(lane: MessageLane): void {
    const messages = this.waiting[lane];
    if (messages.length === 0) return;
    this.waiting[lane] = [];
    this.links[lane].send(messages);
  }

  async close(): Promise<void> {
    this.probe.stop();
    this.links.urgent.close();
    this.links.bulk.close();
    await Promise.all(this.channels.map((channel) => channel.close()));
  }
}
