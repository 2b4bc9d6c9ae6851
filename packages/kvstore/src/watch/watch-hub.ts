import type { KVStore } from "../kv-store.ts";
import { CatchUp } from "./catch-up.ts";
import { type EventEncoder, EventEncoding } from "./event-encoding.ts";
import { moveCost, stepCostMax } from "./gathering-group.ts";
import { spanBytes } from "./key-span.ts";
import { LiveWatchers } from "./live-watchers.ts";
import { Watcher, type WatcherOptions, type WatcherState, type WatchReceiver } from "./watcher.ts";
import { WatchedKeyHash } from "./watcher-index.ts";

export interface WatchHubOptions {
  readonly store: Pick<KVStore, "revision" | "compactRevision" | "visitEvents">;
  readonly encodeEvent: EventEncoder;
  /** As the store's. Default 1. */
  readonly seed?: number;
}

/**
 * Tells watchers what changes in a store. A change finds its watchers by its key, is encoded once for all of them, and is delivered at
 * the end of the turn, together with the other changes of the turn. Watchers have no queues: one whose receiver is not ready, or that
 * begins in the past, lacks something, and is led through the store's history until it does not. So slow receivers cost no memory, and
 * when compaction overtakes them they are told.
 *
 *     store ── publish ──► live watchers ── runTurn ──► receivers
 *       │                   │        ▲                   ▲
 *       │         not ready ▼        │ up to date        │
 *       └── history ──────► CatchUp ─┴──── runTurn ──────┘
 *
 * Whatever may take long is done in `runTurn`, in steps of well below a millisecond.
 */
export class WatchHub {
  /**
   * Called when there is something to do in `runTurn`, and then not again before it is called: it belongs at the end of the event-loop
   * turn.
   */
  onWork: (() => void) | null = null;
  readonly #store: WatchHubOptions["store"];
  readonly #live: LiveWatchers;
  readonly #catchUp: CatchUp;
  readonly #held = new Map<WatchReceiver, Set<Watcher>>();
  /** Receivers that are ready again, some of whose watchers are still held. */
  readonly #resumed = new Set<WatchReceiver>();
  /** Watchers of receivers that are gone, still to be cancelled. */
  readonly #abandoned: Iterator<Watcher>[] = [];
  /** How many watchers of a receiver lack something; no entry for none. */
  readonly #slow = new Map<WatchReceiver, number>();
  #watcherCount = 0;
  #slowCount = 0;
  #spanBytes = 0;
  #deliveredEvents = 0;
  #isWorkTold = false;

  constructor({ store, encodeEvent, seed = 1 }: WatchHubOptions) {
    const hash = new WatchedKeyHash(seed);
    const encoding = new EventEncoding(encodeEvent);
    const deliver = (watcher: Watcher, revision: number, events: readonly Uint8Array[]): void => this.#deliver(watcher, revision, events);
    this.#store = store;
    this.#live = new LiveWatchers({
      store,
      encoding,
      hash,
      owner: { deliver, fellBehind: (watcher, revision) => this.#lacks(watcher, revision) },
    });
    this.#catchUp = new CatchUp({
      store,
      encoding,
      hash,
      owner: {
        deliver,
        caughtUp: (watcher) => this.#admit(watcher, watcher.nextRevision),
        hold: (watcher) => this.#hold(watcher),
        overtaken: (watcher) => this.#overtaken(watcher),
      },
    });
  }

  get revision(): number {
    return this.#store.revision;
  }

  /** Watchers that have not ended. */
  get watcherCount(): number {
    return this.#watcherCount;
  }

  /** Watchers that lack more than what happens just now. */
  get slowCount(): number {
    return this.#slowCount;
  }

  /** Whether the live watchers have got everything up to `revision`. */
  get isDelivered(): boolean {
    return this.#live.isIdle;
  }

  /** Whether a watcher of the receiver lacks something. */
  isBehind(receiver: WatchReceiver): boolean {
    return !this.isDelivered || this.#slow.has(receiver);
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
    const revision = this.#isFromNow(options.startRevision) ? this.#store.revision + 1 : options.startRevision;
    if (options.startsHeld === true && revision < this.#live.cursor) {
      watcher.nextRevision = revision;
      this.#hold(watcher);
    } else {
      this.#admit(watcher, revision);
    }
    return watcher;
  }

  /** Nothing is delivered to the watcher any more. May be called of one that has ended. */
  cancel(watcher: Watcher): void {
    switch (watcher.state) {
      case "live":
        this.#live.remove(watcher);
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

  /** Cancels all these, whose receiver is not ready any more, in the turns that follow. */
  abandon(watchers: Iterable<Watcher>): void {
    this.#abandoned.push(watchers[Symbol.iterator]());
    this.#tellWork();
  }

  /** The store has taken a change. To be called after each, before another one. */
  publish(): void {
    this.#live.publish();
    if (!this.#live.isIdle) this.#tellWork();
  }

  /** The store was replaced as a whole by a later state. Who was up to date goes through the history that came with it. */
  restored(): void {
    this.#tellWork();
  }

  /** Whether watchers of the receiver wait for `resume`. */
  hasHeld(receiver: WatchReceiver): boolean {
    return this.#held.has(receiver);
  }

  /** The receiver is ready, again or for those that start held. */
  resume(receiver: WatchReceiver): void {
    if (!this.#held.has(receiver)) return;
    this.#resumed.add(receiver);
    this.#tellWork();
  }

  /**
   * Delivers, and works for those who lack something, in steps of well below a millisecond, as long as there is something to do and
   * `mayGoOn` says so. Returns whether there is more: then it is to be called again in the next turn.
   */
  runTurn(mayGoOn: () => boolean): boolean {
    this.#isWorkTold = true;
    while (this.#hasWork) {
      if (!this.#live.isIdle) this.#live.step();
      if (this.#resumed.size > 0) this.#resumeSome();
      if (this.#abandoned.length > 0) this.#cancelSome();
      if (!this.#catchUp.isIdle) this.#catchUp.step();
      if (!mayGoOn()) break;
    }
    this.#isWorkTold = this.#hasWork;
    return this.#isWorkTold;
  }

  get #hasWork(): boolean {
    return !this.#live.isIdle || !this.#catchUp.isIdle || this.#resumed.size > 0 || this.#abandoned.length > 0;
  }

  /** etcd 3.4 takes a negative start for one that is compacted, but for −1 while nothing is. */
  #isFromNow(startRevision: number): boolean {
    return startRevision === 0 || (startRevision < 0 && startRevision >= this.#store.compactRevision);
  }

  /** Puts a watcher where it belongs that wants everything from `revision` on. */
  #admit(watcher: Watcher, revision: number): void {
    watcher.nextRevision = revision;
    if (revision < this.#live.cursor) {
      this.#lacks(watcher, revision);
    } else {
      this.#turn(watcher, "live");
      this.#live.add(watcher);
    }
  }

  #lacks(watcher: Watcher, revision: number): void {
    watcher.nextRevision = revision;
    if (!watcher.receiver.isReady) return this.#hold(watcher);
    this.#turn(watcher, "behind");
    this.#catchUp.add(watcher, revision);
    this.#tellWork();
  }

  #hold(watcher: Watcher): void {
    const held = this.#held.get(watcher.receiver);
    if (held === undefined) this.#held.set(watcher.receiver, new Set([watcher]));
    else held.add(watcher);
    this.#turn(watcher, "held");
  }

  /** Takes it back from those that are held. */
  #release(watcher: Watcher): void {
    const held = this.#held.get(watcher.receiver);
    held?.delete(watcher);
    if (held?.size === 0) this.#held.delete(watcher.receiver);
  }

  #resumeSome(): void {
    let cost = 0;
    for (const receiver of this.#resumed) {
      for (const watcher of this.#held.get(receiver) ?? []) {
        if (!receiver.isReady) break;
        if (cost >= stepCostMax) return;
        this.#release(watcher);
        this.#admit(watcher, watcher.nextRevision);
        cost += moveCost;
      }
      this.#resumed.delete(receiver);
    }
  }

  #cancelSome(): void {
    let cost = 0;
    for (let [watchers] = this.#abandoned; watchers !== undefined; [watchers] = this.#abandoned) {
      for (let next = watchers.next(); next.done !== true; next = watchers.next()) {
        this.cancel(next.value);
        cost += moveCost;
        if (cost >= stepCostMax) return;
      }
      this.#abandoned.shift();
    }
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
