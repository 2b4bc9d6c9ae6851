import type { Clock, Timer } from "@raftkv/raft-node";
import type { Channel } from "@raftkv/raft-rpc";
import type { ClassCounter } from "../metrics/class-counter.ts";

/** As often as etcd. */
const periodMs = 5_000;
const noBytes = new Uint8Array(0);

export const probePath = "/raftkv.peer.v1.RaftPeer/Probe";

export interface PeerProbeOptions {
  readonly channel: Channel;
  readonly clock: Clock;
  /** Is the connection there? */
  readonly isUp: () => boolean;
  /** Gets the seconds of each answer. */
  readonly roundTrips: ClassCounter;
}

/** Measures how long a peer takes to answer on a connection that is there anyway. What can't be asked or has no answer is not counted. */
export class PeerProbe {
  private readonly options: PeerProbeOptions;
  private timer: Timer | null = null;

  constructor(options: PeerProbeOptions) {
    this.options = options;
    this.armTimer();
  }

  stop(): void {
    this.timer?.cancel();
  }

  private armTimer(): void {
    this.timer = this.options.clock.setTimer(periodMs, () => {
      this.armTimer();
      if (this.options.isUp()) this.ask();
    });
  }

  private ask(): void {
    const { channel, clock, roundTrips } = this.options;
    const askedMs = clock.monotonicMs();
    const done = (_error: unknown, answer: Uint8Array | null): void => {
      if (answer !== null) roundTrips.observe((clock.monotonicMs() - askedMs) / 1_000);
    };
    channel.request(probePath, noBytes, done, { timeoutMs: periodMs, failFast: true });
  }
}
