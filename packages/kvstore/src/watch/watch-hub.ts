import type { EventView } from "../event-view.ts";
import type { KVStore } from "../kv-store.ts";
import { CatchUp, type CatchUpOwner, deliveryCost } from "./catch-up.ts";
import { type EventEncoder, EventEncoding } from "./event-encoding.ts";
import { spanBytes } from "./key-span.ts";
import { Watcher, type WatcherOptions, type WatcherState, type WatchReceiver } from "./watcher.ts";
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
  readonly #catchUp: CatchUp;
  readonly #held = new Map<WatchReceiver, Set<Watcher>>();
  /** How many watchers of a receiver lack something; no entry for none. */
  readonly #slow = new Map<WatchReceiver, number>();
  /** Everything up to here was delivered to the live watchers. */
  #published: number;
  #watcherCount = 0;
  #spanBytes = 0;
  #deliveredEvents = 0;
  #turnCost = 0;
  #isWorkTold = false;
  /** Reused by each revision: the watchers of an event, and those who get something. */
  readonly #found: Watcher[] = [];
  readonly #concerned: Watcher[] = [];
  readonly #gatherEvent = (event: EventView): void => this.#gather(event);

  constructor({ store, encodeEvent, seed = 1 }: WatchHubOptions) {
    const hash = new WatchedKeyHash(seed);
    this.#store = store;
    this.#encoding = new EventEncoding(encodeEvent);
    this.#live = new WatcherIndex(hash);
    this.#published = store.revision;
    const owner: CatchUpOwner = {
      deliver: (watcher, revision) => this.#deliver(watcher, revision),
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
    return this.#watcherCount - this.#live.size;
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
        this.#live.delete(watcher);
        break;
      case "behind":
        this.#catchUp.remove(watcher);
        break;
      case "held":
        this.#release(watcher);
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
      if (this.#live.size > 0) this.#publishRevision(this.#published);
    }
  }

  /** The store was replaced as a whole by a later state. Who was up to date goes through the history that came with it. */
  restored(): void {
    const next = this.#published + 1;
    this.#published = this.#store.revision;
    for (const watcher of this.#live.all()) {
      const from = Math.max(next, watcher.nextRevision);
      if (from <= this.#published) this.#fallBehind(watcher, from);
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
    this.#live.add(watcher);
  }

  #fallBehind(watcher: Watcher, revision: number): void {
    this.#live.delete(watcher);
    watcher.clear();
    this.#admit(watcher, revision);
  }

  #hold(watcher: Watcher): void {
    const held = this.#held.get(watcher.receiver);
    if (held === undefined) this.#held.set(watcher.receiver, new Set([watcher]));
    else held.add(watcher);
    this.#turn(watcher, "held");
  }

  #release(watcher: Watcher): void {
    const held = this.#held.get(watcher.receiver);
    held?.delete(watcher);
    if (held?.size === 0) this.#held.delete(watcher.receiver);
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
    // What a receiver does when it is told may cancel others of the list.
    for (const watcher of concerned) if (watcher.state === "live") this.#deliverLive(watcher, revision);
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
    for (const watcher of found) {
      if (revision < watcher.nextRevision || watcher.skips(kind)) continue;
      if (watcher.events.length === 0) this.#concerned.push(watcher);
      watcher.gather(revision, this.#encoding.encoded(watcher.wantsPrevious));
    }
    this.#encoding.end();
  }

  #deliverLive(watcher: Watcher, revision: number): void {
    if (!watcher.receiver.isReady || this.#turnCost > turnCostMax) return this.#fallBehind(watcher, revision);
    this.#turnCost += deliveryCost + watcher.eventBytes;
    this.#deliver(watcher, revision);
  }

  #deliver(watcher: Watcher, revision: number): void {
    const { events } = watcher;
    watcher.clear();
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
