import type { EventView } from "../event-view.ts";
import type { EventEncoding } from "./event-encoding.ts";
import type { Watcher, WatcherGroup } from "./watcher.ts";
import type { WatcherCohort } from "./watcher-cohort.ts";
import { type WatchedKeyHash, WatcherIndex } from "./watcher-index.ts";

/** As etcd's: a response holds the events of this many revisions at most. */
const responseRevisionsMax = 1000;
/** So much is gathered before it is delivered. */
const gatheredBytesMax = 16 * 1024 * 1024;
const gatheredCountMax = 1_000_000;
/** What a step may cost, in bytes that are copied, about one in a nanosecond. */
export const stepCostMax = 256 * 1024;
/** Next to the bytes: to keep an event for a cohort, to deliver to a watcher, and to take one elsewhere. */
const gatherCost = 64;
export const deliveryCost = 1024;
export const moveCost = 1024;

/** What a cohort gets, and who of it has not got it yet: those from `at` on. */
interface CohortDelivery {
  readonly watchers: readonly Watcher[];
  readonly events: readonly Uint8Array[];
  readonly eventBytes: number;
  readonly firstRevision: number;
  /** For the response's header. */
  readonly revision: number;
  at: number;
}

/** What becomes of those to whom a group delivers. */
export interface DeliveryOwner {
  /** To a watcher whose receiver is ready. */
  deliver(watcher: Watcher, revision: number, events: readonly Uint8Array[]): void;
  /** The receiver is not ready: the watcher, still in the group, lacks everything from `revision` on. */
  refused(watcher: Watcher, revision: number): void;
}

/**
 * Watchers that lack the same revisions. What they lack is gathered, encoded once for all of them, and delivered cohort by cohort; more
 * may be gathered before the last one has got its own, and goes together with what is still there for its cohort.
 */
export class GatheringGroup implements WatcherGroup {
  /** Everything below has been gathered for all of them. */
  cursor: number;
  readonly index: WatcherIndex;
  /** The cohorts for which something was gathered since the last round of deliveries began. */
  #gathered: WatcherCohort[] = [];
  /** The cohorts of the round, of which those before `#roundAt` are done. */
  #round: WatcherCohort[] = [];
  #roundAt = 0;
  #delivery: CohortDelivery | null = null;
  /** What the events take that were gathered since all was delivered, and how many references to them there are. */
  #gatheredBytes = 0;
  #gatheredCount = 0;
  /** A cohort has as many revisions as a response may hold. */
  #isResponseFull = false;
  /** Reused by each event. */
  readonly #found: WatcherCohort[] = [];

  constructor(cursor: number, hash: WatchedKeyHash) {
    this.cursor = cursor;
    this.index = new WatcherIndex(hash);
  }

  get size(): number {
    return this.index.size;
  }

  /** Something was gathered, and is not delivered to all of them. */
  get hasUndelivered(): boolean {
    return this.#delivery !== null || this.#roundAt < this.#round.length || this.#gathered.length > 0;
  }

  /** Nothing more is to be gathered before `deliverSome` has delivered all. */
  get mustDeliver(): boolean {
    return this.#isResponseFull || this.isFull;
  }

  /** So much was gathered that others are to have their turn. */
  get isFull(): boolean {
    return this.#gatheredBytes >= gatheredBytesMax || this.#gatheredCount >= gatheredCountMax;
  }

  add(watcher: Watcher): void {
    watcher.group = this;
    this.index.add(watcher);
  }

  /** The watcher remembers from where on it lacks something, but for what is just being delivered to its cohort. */
  delete(watcher: Watcher): void {
    const { events, firstRevision } = this.index.delete(watcher);
    watcher.nextRevision = events.length > 0 ? firstRevision : this.cursor;
    watcher.group = null;
  }

  /** Takes over all watchers of a group that is as far, with what was gathered for them. Nothing is being delivered in either. */
  join(other: GatheringGroup): void {
    for (const watcher of other.index.watchers()) watcher.group = this;
    this.index.adopt(other.index);
    const [more, fewer] =
      this.#gathered.length < other.#gathered.length ? [other.#gathered, this.#gathered] : [this.#gathered, other.#gathered];
    for (const cohort of fewer) more.push(cohort);
    this.#gathered = more;
    this.#gatheredBytes += other.#gatheredBytes;
    this.#gatheredCount += other.#gatheredCount;
  }

  /** Keeps the event for those whom it concerns. Returns what it cost. */
  gather(event: EventView, encoding: EventEncoding): number {
    const found = this.#found;
    found.length = 0;
    this.index.collect(event, found);
    if (found.length === 0) return 0;
    const bytesBefore = encoding.bytes;
    const { revision, kind } = event;
    encoding.begin(event);
    for (const cohort of found) {
      // As etcd does, revisions count whose events are then left out.
      if (cohort.countRevision(revision) === responseRevisionsMax) this.#isResponseFull = true;
      if (cohort.skips(kind)) continue;
      if (cohort.events.length === 0) this.#gathered.push(cohort);
      cohort.gather(revision, encoding.encoded(cohort.wantsPrevious));
      this.#gatheredCount++;
    }
    encoding.end();
    const bytes = encoding.bytes - bytesBefore;
    this.#gatheredBytes += bytes;
    return bytes + gatherCost * found.length;
  }

  /** Delivers a step's worth of what was gathered, in responses that show the store at `revision`. Returns whether all is delivered. */
  deliverSome(revision: number, owner: DeliveryOwner): boolean {
    for (let cost = 0; cost < stepCostMax; ) {
      const delivery = this.#nextDelivery(revision);
      if (delivery === null) {
        this.#isResponseFull = false;
        this.#gatheredBytes = 0;
        this.#gatheredCount = 0;
        return true;
      }
      const watcher = delivery.watchers[delivery.at++];
      if (watcher?.group !== this) continue;
      if (watcher.receiver.isReady) {
        owner.deliver(watcher, delivery.revision, delivery.events);
        cost += deliveryCost + delivery.eventBytes;
      } else {
        owner.refused(watcher, delivery.firstRevision);
        cost += moveCost;
      }
    }
    return false;
  }

  /** One of which somebody has still to get his; null if everything is delivered. */
  #nextDelivery(revision: number): CohortDelivery | null {
    while (this.#delivery === null || this.#delivery.at === this.#delivery.watchers.length) {
      const cohort = this.#nextCohort();
      this.#delivery = cohort === null ? null : this.#taken(cohort, revision);
      if (this.#delivery === null) return null;
    }
    return this.#delivery;
  }

  /** Those for which something was gathered first come first. */
  #nextCohort(): WatcherCohort | null {
    if (this.#roundAt === this.#round.length) {
      const emptied = this.#round;
      emptied.length = 0;
      this.#round = this.#gathered;
      this.#gathered = emptied;
      this.#roundAt = 0;
    }
    const cohort = this.#round[this.#roundAt];
    if (cohort === undefined) return null;
    this.#roundAt++;
    return cohort;
  }

  #taken(cohort: WatcherCohort, revision: number): CohortDelivery {
    const { listed, events, eventBytes, firstRevision } = cohort;
    const delivery = { watchers: listed, events, eventBytes, firstRevision, revision, at: 0 };
    cohort.clear();
    this.index.settle(cohort);
    return delivery;
  }
}
