import type { EventView } from "../event-view.ts";
import type { KVStore } from "../kv-store.ts";
import { revisionCost } from "./catch-up.ts";
import type { EventEncoding } from "./event-encoding.ts";
import { type DeliveryOwner, GatheringGroup, moveCost, stepCostMax } from "./gathering-group.ts";
import type { Watcher } from "./watcher.ts";
import type { WatchedKeyHash } from "./watcher-index.ts";

export interface LiveWatchersOptions {
  readonly store: Pick<KVStore, "revision" | "compactRevision" | "visitEvents">;
  readonly encoding: EventEncoding;
  readonly hash: WatchedKeyHash;
  readonly owner: LiveOwner;
}

/** What becomes of those who are no longer live. */
export interface LiveOwner {
  deliver(watcher: Watcher, revision: number, events: readonly Uint8Array[]): void;
  /** It lacks what happened from `revision` on. */
  fellBehind(watcher: Watcher, revision: number): void;
}

/**
 * The watchers that lack nothing but what happens just now. A change is looked at and encoded at once, and delivered in `step`: the
 * changes of a turn, or of more if there is too much to do, go to a watcher together. What can't be gathered because too much waits to be
 * delivered is gathered from the history afterwards.
 */
export class LiveWatchers {
  readonly #options: LiveWatchersOptions;
  readonly #group: GatheringGroup;
  /** Those whose first revision is still to come, by that revision. */
  readonly #later = new Map<number, Set<Watcher>>();
  readonly #delivery: DeliveryOwner;
  #stepCost = 0;
  readonly #gatherEvent = (event: EventView): void => this.#gather(event);

  constructor(options: LiveWatchersOptions) {
    const { owner, store, hash } = options;
    this.#options = options;
    this.#group = new GatheringGroup(store.revision + 1, hash);
    this.#delivery = {
      deliver: (watcher, revision, events) => owner.deliver(watcher, revision, events),
      refused: (watcher, revision) => {
        this.#group.delete(watcher);
        owner.fellBehind(watcher, revision);
      },
    };
  }

  /** Everything below was gathered. Who lacks something of it can't be among them. */
  get cursor(): number {
    return this.#group.cursor;
  }

  /** They have got everything up to the store's revision. */
  get isIdle(): boolean {
    return !this.#group.hasUndelivered && this.#group.cursor > this.#options.store.revision;
  }

  /** A watcher that lacks everything from a revision on that is not below the cursor. */
  add(watcher: Watcher): void {
    if (watcher.nextRevision === this.#group.cursor) {
      this.#group.add(watcher);
      return;
    }
    const waiting = this.#later.get(watcher.nextRevision);
    if (waiting === undefined) this.#later.set(watcher.nextRevision, new Set([watcher]));
    else waiting.add(watcher);
  }

  remove(watcher: Watcher): void {
    if (watcher.group === this.#group) {
      this.#group.delete(watcher);
      return;
    }
    const waiting = this.#later.get(watcher.nextRevision);
    waiting?.delete(watcher);
    if (waiting?.size === 0) this.#later.delete(watcher.nextRevision);
  }

  /** The store has taken a change. */
  publish(): void {
    const group = this.#group;
    const { revision } = this.#options.store;
    if (group.size === 0 && this.#later.size === 0) group.cursor = revision + 1;
    else if (group.cursor === revision && !group.mustDeliver) this.#gatherRevision();
  }

  /** Does a little of what is to do. */
  step(): void {
    const { store } = this.#options;
    const group = this.#group;
    const isCompacted = group.cursor < store.compactRevision;
    const isAllGathered = group.cursor > store.revision;
    if (group.mustDeliver || (group.hasUndelivered && (isAllGathered || isCompacted))) group.deliverSome(group.cursor - 1, this.#delivery);
    else if (group.size === 0 && this.#later.size === 0) group.cursor = store.revision + 1;
    else if (isCompacted) this.#letSomeFallBehind();
    else this.#gatherSome();
  }

  #gatherSome(): void {
    const { store } = this.#options;
    const group = this.#group;
    this.#stepCost = 0;
    while (group.cursor <= store.revision && this.#stepCost < stepCostMax && !group.mustDeliver) {
      this.#stepCost += revisionCost;
      this.#gatherRevision();
    }
  }

  #gatherRevision(): void {
    const group = this.#group;
    this.#begin(group.cursor);
    if (group.size > 0) this.#options.store.visitEvents(group.cursor, 1, this.#gatherEvent);
    group.cursor++;
  }

  #gather(event: EventView): void {
    this.#stepCost += this.#group.gather(event, this.#options.encoding);
  }

  /** Those that wait for this revision are there when it is gathered. */
  #begin(revision: number): void {
    const watchers = this.#later.get(revision);
    if (watchers === undefined) return;
    this.#later.delete(revision);
    for (const watcher of watchers) this.#group.add(watcher);
  }

  /** What they lack is compacted, up to where the cursor comes to. */
  #letSomeFallBehind(): void {
    const { owner, store } = this.#options;
    const group = this.#group;
    for (let cost = 0; cost < stepCostMax && group.cursor < store.compactRevision; cost += revisionCost) {
      this.#begin(group.cursor);
      for (const watcher of group.index.watchers()) {
        if (cost >= stepCostMax) return;
        group.delete(watcher);
        owner.fellBehind(watcher, group.cursor);
        cost += moveCost;
      }
      group.cursor++;
    }
  }
}
