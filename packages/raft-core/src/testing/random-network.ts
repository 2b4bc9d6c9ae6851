import type { PeerMessage } from "../messages.ts";
import type { NodeId } from "../types.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { HistoryHash } from "./shadow-log.ts";

/** Messages under way; with more, chance removes some. */
const WIRE_MAX = 60;

export interface InFlight {
  readonly message: PeerMessage;
  /** The bytes that travel with a snapshot. */
  readonly state: HistoryHash;
}

export interface NetworkFaults {
  /** One message in so many is lost, and one delivered twice. */
  readonly faultOneIn: number;
  /** The next message is one of so many that were sent first. */
  readonly reorderWindow: number;
}

/** Messages overtake each other, some are delivered and stay under way, some are lost, and links are cut and healed. */
export class RandomNetwork {
  private readonly random: SeededRandom;
  private readonly faults: NetworkFaults;
  private wire: InFlight[] = [];
  private readonly cutLinks = new Set<string>();
  private isFaulty = true;

  constructor(random: SeededRandom, faults: NetworkFaults) {
    this.random = random;
    this.faults = faults;
  }

  get isIdle(): boolean {
    return this.wire.length === 0;
  }

  post(inFlight: InFlight): void {
    this.wire.push(inFlight);
  }

  /** What is lost because too much is under way. */
  overflow(): readonly InFlight[] {
    const lost: InFlight[] = [];
    while (this.wire.length > WIRE_MAX) lost.push(...this.wire.splice(this.random.below(this.wire.length), 1));
    return lost;
  }

  /** The next message to arrive or to be lost; undefined if none is under way. */
  draw(): { readonly inFlight: InFlight; readonly isLost: boolean } | undefined {
    const { faultOneIn, reorderWindow } = this.faults;
    const place = this.random.below(Math.min(this.wire.length, reorderWindow));
    const inFlight = this.wire[place];
    if (inFlight === undefined) return undefined;
    if (!this.random.oneIn(faultOneIn)) this.wire.splice(place, 1);
    const { from, to } = inFlight.message;
    return { inFlight, isLost: this.isFaulty && (this.random.oneIn(faultOneIn) || this.cutLinks.has(`${from}>${to}`)) };
  }

  /** Everything under way, in the order it was sent. */
  drawAll(): readonly InFlight[] {
    return this.wire.splice(0);
  }

  cut(from: NodeId, to: NodeId): void {
    this.cutLinks.add(`${from}>${to}`);
  }

  /** All links work; what is under way stays so. */
  heal(): void {
    this.cutLinks.clear();
  }

  /** From now on nothing is lost. */
  becomeReliable(): void {
    this.heal();
    this.isFaulty = false;
  }
}
