import type { WatchHub } from "@raftkv/kvstore";
import type { Clock } from "@raftkv/raft-node";

/** A slice of work. A turn of the event loop may end in two of them, which is half of what any work may take of it. */
const sliceMs = 2.5;

/** Lets a hub work at the end of turns, so that slow watchers catch up while the member does everything else. */
export class WatchPump {
  private readonly hub: WatchHub;
  private readonly clock: Clock;
  private isStopped = false;

  constructor(hub: WatchHub, clock: Clock) {
    this.hub = hub;
    this.clock = clock;
    hub.onWork = () => this.schedule();
  }

  stop(): void {
    this.isStopped = true;
    this.hub.onWork = null;
  }

  private schedule(): void {
    this.clock.atEndOfTurn(() => this.run());
  }

  private run(): void {
    if (this.isStopped) return;
    const endMs = this.clock.monotonicMs() + sliceMs;
    if (this.hub.runTurn(() => this.clock.monotonicMs() < endMs)) this.schedule();
  }
}
