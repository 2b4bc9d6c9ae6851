import type { Watcher, WatcherGroup } from "./watcher.ts";
import { type WatchedKeyHash, WatcherIndex } from "./watcher-index.ts";

/**
 *   gathering ── enough, or all there is ──► delivering ── all have theirs ──► leaving (or gathering again, after the other groups)
 *       └── compacted ──► ending
 */
export type CatchUpPhase = "gathering" | "delivering" | "leaving" | "ending";

/** Watchers that go through the history together, because they lack the same revisions. */
export class CatchUpGroup implements WatcherGroup {
  /** Everything below has been gathered for all of them. */
  cursor: number;
  phase: CatchUpPhase = "gathering";
  readonly index: WatcherIndex;
  readonly watchers = new Set<Watcher>();
  /** Those for whom something was gathered; may hold one twice. */
  gathered: Watcher[] = [];
  /** What the events take that were gathered in this round, and how many references to them there are. */
  gatheredBytes = 0;
  gatheredCount = 0;

  constructor(cursor: number, hash: WatchedKeyHash) {
    this.cursor = cursor;
    this.index = new WatcherIndex(hash);
  }

  add(watcher: Watcher): void {
    watcher.group = this;
    this.watchers.add(watcher);
    this.index.add(watcher);
  }

  /** The watcher forgets what was gathered for it, and remembers from where on it lacks something. */
  delete(watcher: Watcher): void {
    watcher.nextRevision = watcher.events.length > 0 ? watcher.firstRevision : this.cursor;
    watcher.clear();
    watcher.group = null;
    this.watchers.delete(watcher);
    this.index.delete(watcher);
  }

  /** Takes over all watchers of a group that is as far, with what was gathered for them. */
  join(other: CatchUpGroup): void {
    for (const watcher of other.watchers) this.add(watcher);
    const [more, fewer] = this.gathered.length < other.gathered.length ? [other.gathered, this.gathered] : [this.gathered, other.gathered];
    for (const watcher of fewer) more.push(watcher);
    this.gathered = more;
    this.gatheredBytes += other.gatheredBytes;
    this.gatheredCount += other.gatheredCount;
  }

  /** After everything that was gathered is delivered. */
  beginRound(): void {
    this.phase = "gathering";
    this.gathered = [];
    this.gatheredBytes = 0;
    this.gatheredCount = 0;
  }
}
