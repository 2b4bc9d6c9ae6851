import { ClassCounter, doublingBounds } from "../metrics/class-counter.ts";

/** What went between this member and a peer since this one started, as plain fields. Bytes are those of Raft's frames. */
export class PeerTraffic {
  sentBytes = 0;
  receivedBytes = 0;
  /** Batches that were not sent: the peer could not be reached, or did not read. */
  sendFailures = 0;
  /** Batches that came and could not be understood, or were not meant for this member. */
  receiveFailures = 0;
  /** Streams to the peer that were up and were lost. */
  disconnects = 0;
  /** Seconds until the peer answered a probe. */
  readonly roundTrips = new ClassCounter(doublingBounds(0.0001, 16));
}

/** The traffic with each peer, by its id. Only members of the cluster get in, so that it does not grow beyond them. */
export class PeerTrafficTable {
  private readonly byPeer = new Map<bigint, PeerTraffic>();

  of(peerId: bigint): PeerTraffic {
    let traffic = this.byPeer.get(peerId);
    if (traffic === undefined) {
      traffic = new PeerTraffic();
      this.byPeer.set(peerId, traffic);
    }
    return traffic;
  }
}
