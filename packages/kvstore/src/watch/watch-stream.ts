import { type KeySpan, keySpanOf, spanBytes } from "./key-span.ts";
import type { WatchHub } from "./watch-hub.ts";
import type { Watcher, WatchReceiver } from "./watcher.ts";

/** As etcd's WatchCreateRequest. */
export interface WatchCreation {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  /** Default 0: what happens from now on. */
  readonly startRevision?: number;
  /** The client's choice, 0n for none. */
  readonly watchId?: bigint;
  readonly progressNotify?: boolean;
  readonly prevKv?: boolean;
  readonly noPut?: boolean;
  readonly noDelete?: boolean;
  readonly fragment?: boolean;
}

/** What a stream tells its client of its watchers, next to events. */
export type WatchNotice =
  | { readonly kind: "created" | "cancelled" | "progress"; readonly watchId: bigint; readonly revision: number }
  | { readonly kind: "refused"; readonly reason: string; readonly revision: number }
  | { readonly kind: "overtaken"; readonly watchId: bigint; readonly compactRevision: number };

/** Where a stream's responses go. Each call returns false to ask for no more before `WatchStream.drained`. Must not throw. */
export interface WatchSink {
  notify(notice: WatchNotice): boolean;
  /** See `WatchReceiver.deliver`. */
  deliver(watcher: Watcher, revision: number, events: readonly Uint8Array[]): boolean;
}

export interface WatchLimits {
  /** Ids in use in one stream. */
  readonly streamWatchersMax: number;
  /** Of all streams of the hub. */
  readonly watchersMax: number;
}

/** The id that stands for all watchers of a stream. */
const allWatchers = -1n;
/** Bytes of keys that all watchers may hold together. A key that is watched for itself lies in the index once more. */
const spanBytesMax = 256 * 1024 * 1024;

/**
 * etcd's watch protocol for one client: any number of watchers with ids. Requests are answered in their order, and a creation before
 * the events of its watcher. While the client reads too slowly nothing is sent: the owner stops giving requests as soon as the sink
 * returned false, and the watchers are held back.
 */
export class WatchStream implements WatchReceiver {
  isReady = true;
  readonly #hub: WatchHub;
  readonly #sink: WatchSink;
  readonly #limits: WatchLimits;
  /** By id. Those that were overtaken keep theirs until the client cancels them, as in etcd. */
  readonly #watchers = new Map<bigint, Watcher>();
  /** The watchers that want progress; true: it got nothing since it was last told. */
  readonly #quiet = new Map<Watcher, boolean>();
  /** Watchers that began later than with the next revision; some may have begun by now. */
  readonly #later = new Set<Watcher>();
  #overtakenCount = 0;
  #nextId = 0n;
  #isClosed = false;

  constructor(hub: WatchHub, sink: WatchSink, limits: WatchLimits) {
    this.#hub = hub;
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Whether a watcher is to be told about progress. */
  get wantsProgress(): boolean {
    return this.#quiet.size > 0;
  }

  /** Whether a watcher that begins in the past waits for `begin`. */
  get hasHeld(): boolean {
    return this.isReady && this.#hub.hasHeld(this);
  }

  /** Watchers that begin in the past get nothing before `begin`. */
  create(creation: WatchCreation): void {
    const span = keySpanOf(creation.key, creation.rangeEnd);
    const wanted = creation.watchId ?? 0n;
    if (span === null) return this.#refuse("mvcc: watcher range is empty");
    if (this.#watchers.has(wanted) && wanted !== 0n) return this.#refuse("mvcc: duplicate watch ID provided on the WatchStream");
    const refusal = this.#limitReached(span);
    if (refusal !== null) return this.#refuse(refusal);
    this.#register(span, wanted === 0n ? this.#takeId() : wanted, creation);
  }

  /** Unknown ids are ignored. */
  cancel(watchId: bigint): void {
    const watcher = this.#watchers.get(watchId);
    if (watcher === undefined) return;
    this.#watchers.delete(watchId);
    this.#quiet.delete(watcher);
    this.#later.delete(watcher);
    if (watcher.state === "overtaken") this.#overtakenCount--;
    this.#hub.cancel(watcher);
    this.#notify({ kind: "cancelled", watchId, revision: this.#hub.revision });
  }

  /** Tells how far all watchers are, if they have got everything; if not, nothing is said, and the client asks again. */
  requestProgress(): void {
    const { revision } = this.#hub;
    if (this.#liveCount() === 0 || this.#hub.isBehind(this) || this.#waitsForLater(revision)) return;
    this.#notify({ kind: "progress", watchId: allWatchers, revision });
  }

  /** To be called once in an interval: tells those watchers how far they are that want it, lack nothing, and got nothing in the interval. */
  notifyProgress(): void {
    const { revision, isDelivered } = this.#hub;
    if (!isDelivered) return;
    for (const [watcher, isQuiet] of this.#quiet) {
      if (!this.isReady) return;
      if (isQuiet && watcher.state === "live") this.#notify({ kind: "progress", watchId: watcher.id, revision });
      this.#quiet.set(watcher, true);
    }
  }

  /**
   * Lets watchers go ahead that begin in the past. To be called a little after their creation: there are clients, like npm's etcd3, that
   * lose events which come together with the confirmation. etcd's come up to 100 ms later.
   */
  begin(): void {
    this.#hub.resume(this);
  }

  /** The client reads again. */
  drained(): void {
    if (this.#isClosed) return;
    this.isReady = true;
    this.#hub.resume(this);
  }

  /** Ends all watchers, in the hub's turns that follow. Nothing is sent any more. */
  close(): void {
    this.#isClosed = true;
    this.isReady = false;
    this.#hub.abandon(this.#watchers.values());
    this.#quiet.clear();
    this.#later.clear();
  }

  deliver(watcher: Watcher, revision: number, events: readonly Uint8Array[]): void {
    if (watcher.wantsProgress) this.#quiet.set(watcher, false);
    const isReady = this.#sink.deliver(watcher, revision, events);
    this.isReady = isReady && !this.#isClosed;
  }

  overtaken(watcher: Watcher, compactRevision: number): void {
    this.#quiet.delete(watcher);
    this.#overtakenCount++;
    this.#notify({ kind: "overtaken", watchId: watcher.id, compactRevision });
  }

  #register(span: KeySpan, id: bigint, creation: WatchCreation): void {
    this.#notify({ kind: "created", watchId: id, revision: this.#hub.revision });
    if (this.#isClosed) return;
    const options = {
      id,
      span,
      startRevision: creation.startRevision ?? 0,
      startsHeld: true,
      wantsPrevious: creation.prevKv ?? false,
      skipsPuts: creation.noPut ?? false,
      skipsDeletes: creation.noDelete ?? false,
      allowsFragments: creation.fragment ?? false,
      wantsProgress: creation.progressNotify ?? false,
    };
    const watcher = this.#hub.watch(options, this);
    this.#watchers.set(id, watcher);
    if (watcher.wantsProgress) this.#quiet.set(watcher, true);
    if (watcher.nextRevision > this.#hub.revision + 1) this.#later.add(watcher);
  }

  #liveCount(): number {
    return this.#watchers.size - this.#overtakenCount;
  }

  /** Whether a watcher begins later than with the next revision. */
  #waitsForLater(revision: number): boolean {
    for (const watcher of this.#later) {
      if (watcher.state === "live" && watcher.nextRevision > revision + 1) return true;
      this.#later.delete(watcher);
    }
    return false;
  }

  #takeId(): bigint {
    while (this.#watchers.has(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }

  #limitReached(span: KeySpan): string | null {
    const { streamWatchersMax, watchersMax } = this.#limits;
    if (this.#watchers.size >= streamWatchersMax) return `raftkv: a stream has at most ${streamWatchersMax} watchers, open another one`;
    if (this.#hub.watcherCount >= watchersMax) return `raftkv: a member has at most ${watchersMax} watchers, ask another one`;
    const isTooMuch = this.#hub.spanBytes + spanBytes(span) > spanBytesMax;
    return isTooMuch ? `raftkv: the keys of a member's watchers have at most ${spanBytesMax} bytes, ask another one` : null;
  }

  #refuse(reason: string): void {
    this.#notify({ kind: "refused", reason, revision: this.#hub.revision });
  }

  #notify(notice: WatchNotice): void {
    const isReady = this.#sink.notify(notice);
    this.isReady = isReady && !this.#isClosed;
  }
}
