import type { EventView } from "../event-view.ts";
import type { KVStore } from "../kv-store.ts";
import { CatchUpGroup, type CohortDelivery } from "./catch-up-group.ts";
import type { EventEncoding } from "./event-encoding.ts";
import type { Watcher } from "./watcher.ts";
import type { WatcherCohort } from "./watcher-cohort.ts";
import type { WatchedKeyHash } from "./watcher-index.ts";

/** As etcd's: a response holds the events of this many revisions at most. */
const responseRevisionsMax = 1000;
/** A round ends when this much is waiting to be delivered. */
const roundBytesMax = 16 * 1024 * 1024;
const roundEventsMax = 1_000_000;
/** A round that finds nothing to deliver ends too, so that the other groups have their turn. */
const roundRevisionsMax = 100_000;
/** What a step may cost, in bytes that are copied, about one in a nanosecond. */
const stepCostMax = 256 * 1024;
/** Next to the bytes: to look at a revision, to keep an event for a cohort, to deliver to a watcher, and to take one elsewhere. */
const revisionCost = 512;
const gatherCost = 64;
export const deliveryCost = 1024;
const moveCost = 1024;

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
  readonly #waiting = new Map<number, CatchUpGroup>();
  #active: CatchUpGroup | null = null;
  #roundEnd = 0;
  readonly #found: WatcherCohort[] = [];
  readonly #gatherEvent = (event: EventView): void => this.#gather(event);

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#active === null && this.#waiting.size === 0;
  }

  /** The watcher lacks what happened from `revision` on. */
  add(watcher: Watcher, revision: number): void {
    let group = this.#waiting.get(revision);
    if (group === undefined) {
      group = new CatchUpGroup(revision, this.#options.hash);
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
    switch (group.phase) {
      case "gathering":
        return this.#gatherSome();
      case "delivering":
        return this.#deliverSome(group);
      case "leaving":
        return this.#letSomeLeave(group);
      case "ending":
        return this.#endSome(group);
      default:
        return group.phase satisfies never;
    }
  }

  #nextGroup(): CatchUpGroup | null {
    const [group] = this.#waiting.values();
    if (group === undefined) return null;
    this.#waiting.delete(group.cursor);
    this.#roundEnd = group.cursor + roundRevisionsMax;
    this.#active = group;
    return group;
  }

  #gatherSome(): void {
    const { store, encoding } = this.#options;
    let cost = 0;
    while (cost < stepCostMax) {
      const group = this.#meetGroup();
      if (group === null) return;
      if (group.cursor < store.compactRevision) {
        group.phase = "ending";
        return;
      }
      if (group.isResponseFull || this.#hasEnough(group)) {
        group.phase = "delivering";
        return;
      }
      const { bytes } = encoding;
      const { gatheredCount } = group;
      group.cursor = store.visitEvents(group.cursor, 1, this.#gatherEvent);
      group.gatheredBytes += encoding.bytes - bytes;
      cost += revisionCost + encoding.bytes - bytes + gatherCost * (group.gatheredCount - gatheredCount);
    }
  }

  /** The group on its way, together with the one that waits where it has come to. */
  #meetGroup(): CatchUpGroup | null {
    const group = this.#active;
    const met = group === null ? undefined : this.#waiting.get(group.cursor);
    if (group === null || met === undefined) return group;
    this.#waiting.delete(met.cursor);
    this.#active = united(group, met);
    return this.#active;
  }

  #isRoundOver({ cursor, gatheredBytes, gatheredCount }: CatchUpGroup): boolean {
    return gatheredBytes >= roundBytesMax || gatheredCount >= roundEventsMax || cursor >= this.#roundEnd;
  }

  /** Whether it has all there is, or what it takes to let the others have their turn. */
  #hasEnough(group: CatchUpGroup): boolean {
    return group.cursor > this.#options.store.revision || this.#isRoundOver(group);
  }

  #gather(event: EventView): void {
    const { encoding } = this.#options;
    const group = this.#active;
    const found = this.#found;
    found.length = 0;
    group?.index.collect(event.current.keyView(), found);
    if (group === null || found.length === 0) return;
    const { revision, kind } = event;
    encoding.begin(event);
    for (const cohort of found) {
      if (cohort.lastRevision !== revision) {
        cohort.lastRevision = revision;
        // As etcd does, revisions count whose events are then left out.
        if (++cohort.revisionCount === responseRevisionsMax) group.isResponseFull = true;
      }
      if (cohort.skips(kind)) continue;
      if (cohort.events.length === 0) group.gathered.push(cohort);
      cohort.gather(revision, encoding.encoded(cohort.wantsPrevious));
      group.gatheredCount++;
    }
    encoding.end();
  }

  #deliverSome(group: CatchUpGroup): void {
    for (let cost = 0; cost < stepCostMax; ) {
      const delivery = group.delivery();
      if (delivery === null) {
        group.isResponseFull = false;
        group.phase = this.#hasEnough(group) ? "leaving" : "gathering";
        return;
      }
      const watcher = delivery.watchers[delivery.at++];
      if (watcher?.group === group) cost += this.#deliver(watcher, delivery);
    }
  }

  /** Returns what it cost. */
  #deliver(watcher: Watcher, { events, eventBytes, firstRevision }: CohortDelivery): number {
    const { owner, store } = this.#options;
    if (watcher.receiver.isReady) {
      owner.deliver(watcher, store.revision, events);
      return deliveryCost + eventBytes;
    }
    this.remove(watcher);
    watcher.nextRevision = firstRevision;
    owner.hold(watcher);
    return moveCost;
  }

  /** All have what was gathered. They are up to date, or go on after the other groups. */
  #letSomeLeave(group: CatchUpGroup): void {
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

  #putBack(group: CatchUpGroup): void {
    const met = this.#waiting.get(group.cursor);
    group.beginRound();
    this.#waiting.set(group.cursor, met === undefined ? group : united(group, met));
  }

  /** What the group lacks is compacted. */
  #endSome(group: CatchUpGroup): void {
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

function united(a: CatchUpGroup, b: CatchUpGroup): CatchUpGroup {
  const [large, small] = a.size < b.size ? [b, a] : [a, b];
  large.join(small);
  return large;
}
