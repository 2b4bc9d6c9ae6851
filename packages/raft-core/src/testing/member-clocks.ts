import type { LeaseReadOptions } from "../options.ts";
import type { NodeId } from "../types.ts";
import type { SeededRandom } from "./seeded-random.ts";

interface MemberClock {
  readonly offsetMs: number;
  /** How fast it runs, within the drift that the lease allows for. */
  readonly rate: number;
  nextTickMs: number;
}

/**
 * One clock per member, each at a pace of its own. A member ticks at most once per tick of its own clock: one that stood still makes up
 * for nothing.
 */
export class MemberClocks {
  private readonly tickMs: number;
  private readonly clocks = new Map<NodeId, MemberClock>();
  private nowMs = 0;

  constructor(ids: readonly NodeId[], options: LeaseReadOptions, random: SeededRandom) {
    this.tickMs = options.tickMs;
    for (const id of ids) {
      const pace = random.below(5) / 4;
      this.clocks.set(id, { offsetMs: random.below(1000), rate: 1 + (pace * options.driftPpm) / 1_000_000, nextTickMs: 0 });
    }
  }

  advance(ms: number): void {
    this.nowMs += ms;
  }

  read(id: NodeId): number {
    const { offsetMs, rate } = this.clockOf(id);
    return offsetMs + rate * this.nowMs;
  }

  /** Whether the member's next tick is due; if so it is taken. */
  takeTick(id: NodeId): boolean {
    const clock = this.clockOf(id);
    const now = this.read(id);
    if (now < clock.nextTickMs) return false;
    clock.nextTickMs = now + this.tickMs;
    return true;
  }

  /** The member was started anew, and its first tick may come at once. */
  restart(id: NodeId): void {
    this.clockOf(id).nextTickMs = 0;
  }

  private clockOf(id: NodeId): MemberClock {
    const clock = this.clocks.get(id);
    if (clock === undefined) throw new Error(`Member ${id} has no clock`);
    return clock;
  }
}
