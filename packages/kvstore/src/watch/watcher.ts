import type { KeySpan } from "./key-span.ts";

export interface WatcherOptions {
  readonly span: KeySpan;
  /** The first revision of interest, a future one is allowed. 0: the next one. */
  readonly startRevision: number;
  /** If it begins in the past, it waits for `WatchHub.resume`. Default false. */
  readonly startsHeld?: boolean;
  /** Signed 64 bits, for the receiver. Default 0n. */
  readonly id?: bigint;
  /** Events come with what was there before. Default false, as with all that follow. */
  readonly wantsPrevious?: boolean;
  readonly skipsPuts?: boolean;
  readonly skipsDeletes?: boolean;
  /** For the receiver: whether it is told now and then how far the watcher is. */
  readonly wantsProgress?: boolean;
  /** For the receiver: whether the events of one response may be sent in several. */
  readonly allowsFragments?: boolean;
}

/** Who gets the events of watchers, such as a client's stream. It may have many watchers. */
export interface WatchReceiver {
  /** False: whatever is due later is held back until `WatchHub.resume`. */
  readonly isReady: boolean;
  /**
   * All events of one revision or more, in their order, without a gap to what the watcher got before. `revision` is the store's at the time
   * when they were put together. The array is not to be kept, the events in it may be.
   */
  deliver(watcher: Watcher, revision: number, events: readonly Uint8Array[]): void;
  /** Revisions that the watcher has not seen are compacted. It has ended. */
  overtaken(watcher: Watcher, compactRevision: number): void;
}

/**
 *   live ── its receiver is not ready, or what it lacks is compacted ──► held, behind
 *   held ── resume ──► behind ── everything is delivered ──► live
 *                         └──── compacted ──► overtaken
 *   any ── cancel ──► ended
 */
export type WatcherState = "live" | "behind" | "held" | "overtaken" | "ended";

/** Watchers that lack the same revisions. */
export interface WatcherGroup {
  /** The first revision that all of them lack. */
  readonly cursor: number;
  readonly size: number;
  delete(watcher: Watcher): void;
}

/** Somebody's interest in a span of keys from a revision on. It has no queue: what it lacks lies in the store's history. */
export class Watcher {
  readonly id: bigint;
  readonly span: KeySpan;
  readonly receiver: WatchReceiver;
  readonly wantsPrevious: boolean;
  readonly skipsPuts: boolean;
  readonly skipsDeletes: boolean;
  readonly wantsProgress: boolean;
  readonly allowsFragments: boolean;
  state: WatcherState = "live";
  /** Nothing below is for it: it was delivered, or never asked for. Of a watcher that is behind, its group knows. */
  nextRevision: number;
  /** While it is behind. */
  group: WatcherGroup | null = null;

  constructor(options: WatcherOptions, receiver: WatchReceiver) {
    this.id = options.id ?? 0n;
    this.span = options.span;
    this.receiver = receiver;
    this.wantsPrevious = options.wantsPrevious ?? false;
    this.skipsPuts = options.skipsPuts ?? false;
    this.skipsDeletes = options.skipsDeletes ?? false;
    this.wantsProgress = options.wantsProgress ?? false;
    this.allowsFragments = options.allowsFragments ?? false;
    this.nextRevision = options.startRevision;
  }
}
