import type { EventView } from "../event-view.ts";
import type { KVStore } from "../kv-store.ts";
import { CatchUp, type CatchUpOwner, deliveryCost } from "./catch-up.ts";
import { type EventEncoder, EventEncoding } from "./event-encoding.ts";
import { spanBytes } from "./key-span.ts";
import { Watcher, type WatcherOptions, type WatcherState, type WatchReceiver } from "./watcher.ts";
import type { WatcherCohort } from "./watcher-cohort.ts";
import { WatchedKeyHash, WatcherIndex } from "./watcher-index.ts";

/** What is delivered of a turn's changes as they happen, in bytes that are copied; the rest follows at the turn's end, all at once. */
const turnCostMax = 2 * 1024 * 1024;

export interface WatchHubOptions {
  readonly store: Pick<KVStore, "revision" | "compactRevision" | "visitEvents">;
  readonly encodeEvent: EventEncoder;
  /** As the store's. Default 1. */
  readonly seed?: number;
}

/**
 * Tells watchers what changes in a store. A change finds its watchers by its key, is encoded once for all of them, and is delivered at
 * once, with `publish`. Watchers have no queues: one whose receiver is not ready, or that begins in the past, lacks something, and is
 * led through the store's history until it does not. So slow receivers cost no memory, and when compaction overtakes them they are told.
 *
 *     store ── publish ──► live watchers ──► receivers
 *       │                   │        ▲
 *       │     not ready, or │        │ up to date
 *       │     too much      ▼        │
 *       └── history ──────► CatchUp, in `runTurn`
 */
export class WatchHub {
  /**
   * Called when there is something to do in `runTurn`, and then not again before it is called: it belongs at the end of the event-loop
   * turn.
   */
  onWork: (() => void) | null = null;
  readonly #store: WatchHubOptions["store"];
  readonly #encoding: EventEncoding;
  readonly #live: WatcherIndex;
  /** Live ones whose first revision is still to come, by that revision. */
  readonly #later = new Map<number, Set<Watcher>>();
  readonly #catchUp: CatchUp;
  readonly #held = new Map<WatchReceiver, Set<Watcher>>();
  /** How many watchers of a receiver lack something; no entry for none. */
  readonly #slow = new Map<WatchReceiver, number>();
  /** Everything up to here was delivered to the live watchers. */
  #published: number;
  #watcherCount = 0;
  #slowCount = 0;
  #spanBytes = 0;
  #deliveredEvents = 0;
  #turnCost = 0;
  #isWorkTold = false;
  /** Reused by each revision: the cohorts of an event, and those that get something. */
  readonly #found: WatcherCohort[] = [];
  readonly #concerned: WatcherCohort[] = [];
  readonly #gatherEvent = (event: EventView): void => this.#gather(event);

  constructor({ store, encodeEvent, seed = 1 }: WatchHubOptions) {
    const hash = new WatchedKeyHash(seed);
    this.#store = store;
    this.#encoding = new EventEncoding(encodeEvent);
    this.#live = new WatcherIndex(hash);
    this.#published = store.revision;
    const owner: CatchUpOwner = {
      deliver: (watcher, revision, events) => this.#deliver(watcher, revision, events),
      caughtUp: (watcher) => this.#goLive(watcher),
      hold: (watcher) => this.#hold(watcher),
      overtaken: (watcher) => this.#overtaken(watcher),
    };
    this.#catchUp = new CatchUp({ store, encoding: this.#encoding, hash, owner });
  }

  /** What live watchers have seen: the store's revision, but for the moment between a change and `publish`. */
  get revision(): number {
    return this.#published;
  }

  /** Watchers that have not ended. */
  get watcherCount(): number {
    return this.#watcherCount;
  }

  /** Watchers that lack something. */
  get slowCount(): number {
    return this.#slowCount;
  }

  /** Whether a watcher of the receiver lacks something. */
  isBehind(receiver: WatchReceiver): boolean {
    return this.#slow.has(receiver);
  }

  /** Bytes of keys that watchers hold. */
  get spanBytes(): number {
    return this.#spanBytes;
  }

  /** Events given to receivers, each as often as watchers got it. */
  get deliveredEvents(): number {
    return this.#deliveredEvents;
  }

  /** A start in the past is accepted also if it is compacted; the watcher is then overtaken. Nothing is delivered before this returns. */
  watch(options: WatcherOptions, receiver: WatchReceiver): Watcher {
    const watcher = new Watcher(options, receiver);
    this.#watcherCount++;
    this.#spanBytes += spanBytes(watcher.span);
    this.#admit(watcher, this.#isFromNow(options.startRevision) ? this.#published + 1 : options.startRevision);
    return watcher;
  }

  /** Nothing is delivered to the watcher any more. May be called of one that has ended. */
  cancel(watcher: Watcher): void {
    switch (watcher.state) {
      case "live":
        if (this.#live.has(watcher)) this.#live.delete(watcher);
        else removeFrom(this.#later, watcher.nextRevision, watcher);
        break;
      case "behind":
        this.#catchUp.remove(watcher);
        break;
      case "held":
        removeFrom(this.#held, watcher.receiver, watcher);
        break;
      case "overtaken":
      case "ended":
        return;
      default:
        watcher.state satisfies never;
    }
    this.#turn(watcher, "ended");
    this.#forget(watcher);
  }

  /** Delivers what the store has taken since the last call. To be called after each change, before another one. */
  publish(): void {
    const { revision } = this.#store;
    while (this.#published < revision) {
      this.#published++;
      this.#begin(this.#published);
      if (this.#live.size > 0) this.#publishRevision(this.#published);
    }
  }

  /** The store was replaced as a whole by a later state. Who was up to date goes through the history that came with it. */
  restored(): void {
    const next = this.#published + 1;
    this.#published = this.#store.revision;
    if (next > this.#published) return;
    for (const watcher of [...this.#live.watchers()]) this.#fallBehind(watcher, next);
    for (const [revision, watchers] of [...this.#later]) {
      if (revision > this.#published) continue;
      this.#later.delete(revision);
      for (const watcher of watchers) this.#admit(watcher, revision);
    }
  }

  /** The receiver is ready again. */
  resume(receiver: WatchReceiver): void {
    const held = this.#held.get(receiver);
    if (held === undefined) return;
    this.#held.delete(receiver);
    for (const watcher of held) this.#admit(watcher, watcher.nextRevision);
  }

  /**
   * Works for those who lack something, in steps of well below a millisecond, as long as there is something to do and `mayGoOn` says
   * so. Returns whether there is more: then it is to be called again in the next turn.
   */
  runTurn(mayGoOn: () => boolean): boolean {
    this.#isWorkTold = false;
    this.#turnCost = 0;
    while (!this.#catchUp.isIdle) {
      this.#catchUp.step();
      if (!mayGoOn()) break;
    }
    this.#isWorkTold = !this.#catchUp.isIdle;
    return this.#isWorkTold;
  }

  /** etcd 3.4 takes a negative start for one that is compacted, but for −1 while nothing is. */
  #isFromNow(startRevision: number): boolean {
    return startRevision === 0 || (startRevision < 0 && startRevision >= this.#store.compactRevision);
  }

  /** Puts a watcher where it belongs that wants everything from `revision` on. */
  #admit(watcher: Watcher, revision: number): void {
    watcher.nextRevision = revision;
    if (revision > this.#published) {
      this.#goLive(watcher);
    } else if (watcher.receiver.isReady) {
      this.#turn(watcher, "behind");
      this.#catchUp.add(watcher, revision);
      this.#tellWork();
    } else {
      this.#hold(watcher);
    }
  }

  #goLive(watcher: Watcher): void {
    this.#turn(watcher, "live");
    if (watcher.nextRevision > this.#published + 1) addTo(this.#later, watcher.nextRevision, watcher);
    else this.#live.add(watcher);
  }

  /** Those that wait for this revision are there when it is delivered. */
  #begin(revision: number): void {
    const watchers = this.#later.get(revision);
    if (watchers === undefined) return;
    this.#later.delete(revision);
    for (const watcher of watchers) this.#live.add(watcher);
  }

  #fallBehind(watcher: Watcher, revision: number): void {
    this.#live.delete(watcher);
    this.#admit(watcher, revision);
  }

  #hold(watcher: Watcher): void {
    addTo(this.#held, watcher.receiver, watcher);
    this.#turn(watcher, "held");
  }

  #overtaken(watcher: Watcher): void {
    this.#turn(watcher, "overtaken");
    this.#forget(watcher);
    watcher.receiver.overtaken(watcher, this.#store.compactRevision);
  }

  #turn(watcher: Watcher, state: WatcherState): void {
    const change = Number(isSlow(state)) - Number(isSlow(watcher.state));
    watcher.state = state;
    if (change === 0) return;
    this.#slowCount += change;
    const { receiver } = watcher;
    const count = (this.#slow.get(receiver) ?? 0) + change;
    if (count === 0) this.#slow.delete(receiver);
    else this.#slow.set(receiver, count);
  }

  #forget(watcher: Watcher): void {
    this.#watcherCount--;
    this.#spanBytes -= spanBytes(watcher.span);
  }

  #publishRevision(revision: number): void {
    this.#store.visitEvents(revision, 1, this.#gatherEvent);
    const concerned = this.#concerned;
    if (concerned.length === 0) return;
    for (const cohort of concerned) this.#deliverLive(cohort, revision);
    concerned.length = 0;
    this.#tellWork();
  }

  #gather(event: EventView): void {
    const found = this.#found;
    found.length = 0;
    this.#live.collect(event.current.keyView(), found);
    if (found.length === 0) return;
    const { revision, kind } = event;
    this.#encoding.begin(event);
    for (const cohort of found) {
      if (cohort.skips(kind)) continue;
      if (cohort.events.length === 0) this.#concerned.push(cohort);
      cohort.gather(revision, this.#encoding.encoded(cohort.wantsPrevious));
    }
    this.#encoding.end();
  }

  /** What a receiver does when it is told may cancel others of the cohort, and bring new ones, which are not meant. */
  #deliverLive(cohort: WatcherCohort, revision: number): void {
    const { events, eventBytes } = cohort;
    for (const watcher of cohort.watchers) {
      if (!watcher.receiver.isReady || this.#turnCost > turnCostMax) {
        this.#fallBehind(watcher, revision);
      } else {
        this.#turnCost += deliveryCost + eventBytes;
        this.#deliver(watcher, revision, events);
      }
    }
    cohort.clear();
    this.#live.settle(cohort);
  }

  #deliver(watcher: Watcher, revision: number, events: readonly Uint8Array[]): void {
    this.#deliveredEvents += events.length;
    watcher.receiver.deliver(watcher, revision, events);
  }

  #tellWork(): void {
    if (this.#isWorkTold) return;
    this.#isWorkTold = true;
    this.onWork?.();
  }
}

function isSlow(state: WatcherState): boolean {
  return state === "behind" || state === "held";
}

function addTo<Key>(sets: Map<Key, Set<Watcher>>, key: Key, watcher: Watcher): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([watcher]));
  else set.add(watcher);
}

function removeFrom<Key>(sets: Map<Key, Set<Watcher>>, key: Key, watcher: Watcher): void {
  const set = sets.get(key);
  set?.delete(watcher);
  if (set?.size === 0) sets.delete(key);
}
