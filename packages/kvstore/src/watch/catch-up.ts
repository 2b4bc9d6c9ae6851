import type { EventView } from "../event-view.ts";
import type { KVStore } from "../kv-store.ts";
import type { EventEncoding } from "./event-encoding.ts";
import { type DeliveryOwner, deliveryCost, GatheringGroup, moveCost, stepCostMax } from "./gathering-group.ts";
import type { Watcher } from "./watcher.ts";
import type { WatchedKeyHash } from "./watcher-index.ts";

/** A round that finds nothing to deliver ends too, so that the other groups have their turn. */
const roundRevisionsMax = 100_000;
/** To look at a revision, next to the bytes of its events. */
export const revisionCost = 512;

/**
 *   gathering ── enough, or all there is ──► delivering ── all have theirs ──► leaving (or gathering again, after the other groups)
 *       └── compacted ──► ending
 */
type CatchUpPhase = "gathering" | "delivering" | "leaving" | "ending";

/** What becomes of watchers, and of what was gathered for them. */
export interface CatchUpOwner {
  /** To a watcher whose receiver is ready. */
  deliver(watcher: Watcher, revision: number, events: readonly Uint8Array[]): void;
  caughtUp(watcher: Watcher): void;
  hold(watcher: Watcher): void;
  overtaken(watcher: Watcher): void;
}

export interface CatchUpOptions {
  readonly store: Pick<KVStore, "revision" | "compactRevision" | "visitEvents">;
  readonly encoding: EventEncoding;
  readonly hash: WatchedKeyHash;
  readonly owner: CatchUpOwner;
}

/**
 * Leads watchers that lack something through the store's history, in steps that a caller can count on to be short. Those that lack the
 * same revisions go together, and a group picks up the groups it meets on its way, so that an event is looked at and encoded once for
 * all of them. One group is on its way at a time; the others wait in a ring.
 *
 *     revision  4 ── 5 ── 6 ── 7 ── 8 ── 9 ── now
 *               ▲         ▲              ▲
 *     on its way│    waits│         waits│
 */
export class CatchUp {
  readonly #options: CatchUpOptions;
  /** By cursor, the one that has waited longest first. */
  readonly #waiting = new Map<number, GatheringGroup>();
  #active: GatheringGroup | null = null;
  /** What the active group is at. */
  #phase: CatchUpPhase = "gathering";
  #roundEnd = 0;
  #stepCost = 0;
  readonly #delivery: DeliveryOwner;
  readonly #gatherEvent = (event: EventView): void => this.#gather(event);

  constructor(options: CatchUpOptions) {
    const { owner } = options;
    this.#options = options;
    this.#delivery = {
      deliver: (watcher, revision, events) => owner.deliver(watcher, revision, events),
      refused: (watcher, revision) => {
        this.remove(watcher);
        watcher.nextRevision = revision;
        owner.hold(watcher);
      },
    };
  }

  get isIdle(): boolean {
    return this.#active === null && this.#waiting.size === 0;
  }

  /** The watcher lacks what happened from `revision` on. */
  add(watcher: Watcher, revision: number): void {
    let group = this.#waiting.get(revision);
    if (group === undefined) {
      group = new GatheringGroup(revision, this.#options.hash);
      this.#waiting.set(revision, group);
    }
    group.add(watcher);
  }

  remove(watcher: Watcher): void {
    const { group } = watcher;
    if (group === null) return;
    group.delete(watcher);
    if (group.size > 0) return;
    if (group === this.#active) this.#active = null;
    else this.#waiting.delete(group.cursor);
  }

  /** Does a little. */
  step(): void {
    const group = this.#active ?? this.#nextGroup();
    if (group === null) return;
    switch (this.#phase) {
      case "gathering":
        return this.#gatherSome();
      case "delivering":
        return this.#deliverSome(group);
      case "leaving":
        return this.#letSomeLeave(group);
      case "ending":
        return this.#endSome(group);
      default:
        return this.#phase satisfies never;
    }
  }

  #nextGroup(): GatheringGroup | null {
    const [group] = this.#waiting.values();
    if (group === undefined) return null;
    this.#waiting.delete(group.cursor);
    this.#roundEnd = group.cursor + roundRevisionsMax;
    this.#active = group;
    this.#phase = "gathering";
    return group;
  }

  #gatherSome(): void {
    const { store } = this.#options;
    this.#stepCost = 0;
    while (this.#stepCost < stepCostMax) {
      const group = this.#meetGroup();
      if (group === null) return;
      if (group.cursor < store.compactRevision) {
        this.#phase = "ending";
        return;
      }
      if (group.mustDeliver || this.#hasEnough(group)) {
        this.#phase = "delivering";
        return;
      }
      this.#stepCost += revisionCost;
      group.cursor = store.visitEvents(group.cursor, 1, this.#gatherEvent);
    }
  }

  #gather(event: EventView): void {
    this.#stepCost += this.#active?.gather(event, this.#options.encoding) ?? 0;
  }

  /** The group on its way, together with the one that waits where it has come to. */
  #meetGroup(): GatheringGroup | null {
    const group = this.#active;
    const met = group === null ? undefined : this.#waiting.get(group.cursor);
    if (group === null || met === undefined) return group;
    this.#waiting.delete(met.cursor);
    this.#active = united(group, met);
    return this.#active;
  }

  /** Whether it has all there is, or what it takes to let the others have their turn. */
  #hasEnough(group: GatheringGroup): boolean {
    return group.cursor > this.#options.store.revision || group.isFull || group.cursor >= this.#roundEnd;
  }

  #deliverSome(group: GatheringGroup): void {
    // Looked at before: when all is delivered it may begin again.
    const hasEnough = this.#hasEnough(group);
    if (group.deliverSome(this.#options.store.revision, this.#delivery)) this.#phase = hasEnough ? "leaving" : "gathering";
  }

  /** All have what was gathered. They are up to date, or go on after the other groups. */
  #letSomeLeave(group: GatheringGroup): void {
    if (group.cursor <= this.#options.store.revision) {
      this.#active = null;
      this.#putBack(group);
      return;
    }
    let cost = 0;
    for (const watcher of group.index.watchers()) {
      if (cost >= stepCostMax) return;
      this.remove(watcher);
      this.#options.owner.caughtUp(watcher);
      cost += moveCost;
    }
  }

  #putBack(group: GatheringGroup): void {
    const met = this.#waiting.get(group.cursor);
    this.#waiting.set(group.cursor, met === undefined ? group : united(group, met));
  }

  /** What the group lacks is compacted. */
  #endSome(group: GatheringGroup): void {
    let cost = 0;
    for (const watcher of group.index.watchers()) {
      if (cost >= stepCostMax) return;
      this.remove(watcher);
      if (watcher.receiver.isReady) this.#options.owner.overtaken(watcher);
      else this.#options.owner.hold(watcher);
      cost += deliveryCost;
    }
  }
}

function united(a: GatheringGroup, b: GatheringGroup): GatheringGroup {
  const [large, small] = a.size < b.size ? [b, a] : [a, b];
  large.join(small);
  return large;
}
