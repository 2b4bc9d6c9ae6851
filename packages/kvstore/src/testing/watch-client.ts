import { assert } from "../assertion.ts";
import { type KeySpan, keySpanOf } from "../watch/key-span.ts";
import { type WatchCreation, type WatchNotice, WatchStream } from "../watch/watch-stream.ts";
import type { Watcher } from "../watch/watcher.ts";
import { type ExpectedWatcher, text, type WatchWorld } from "./watch-world.ts";

const streamWatchersMax = 20;

/** A client that checks each response against the list. */
export class WatchClient {
  readonly watchers = new Map<bigint, ExpectedWatcher>();
  /** Responses that it takes before it makes the stream wait. */
  patience = Number.POSITIVE_INFINITY;
  readonly #world: WatchWorld;
  readonly #stream: WatchStream;
  #progressCount = 0;
  #pending: { readonly span: KeySpan; readonly creation: WatchCreation } | null = null;

  constructor(world: WatchWorld) {
    this.#world = world;
    this.#stream = new WatchStream(
      world.hub,
      { notify: (notice) => this.#noticed(notice), deliver: (watcher, revision, events) => this.#delivered(watcher, revision, events) },
      { streamWatchersMax, watchersMax: 1000 },
    );
  }

  create(creation: WatchCreation): void {
    const span = keySpanOf(creation.key, creation.rangeEnd);
    if (span === null || !this.#stream.isReady) return;
    this.#pending = { span, creation };
    this.#stream.create(creation);
  }

  begin(): void {
    this.#stream.begin();
  }

  cancel(at: number): void {
    const [id] = [...this.watchers.keys()].slice(at % (this.watchers.size + 1));
    if (id === undefined || !this.#stream.isReady) return;
    this.#stream.cancel(id);
    assert(this.watchers.get(id)?.state === "cancelled", "A cancellation is answered");
    this.watchers.delete(id);
  }

  askForProgress(): void {
    if (this.#stream.isReady) this.#stream.requestProgress();
  }

  intervalIsOver(): void {
    this.#stream.notifyProgress();
  }

  /** In the end, when nobody lacks anything. */
  checkProgressIsTold(): void {
    const open = [...this.watchers.values()].filter(({ state }) => state === "open");
    const isDue = open.length > 0 && open.every(({ creation }) => (creation.startRevision ?? 0) <= this.#world.store.revision + 1);
    const before = this.#progressCount;
    this.askForProgress();
    assert(this.#progressCount - before === Number(isDue), "Progress is told once if all watchers have everything");
  }

  /** Reads again, this many responses. */
  read(count: number): void {
    this.patience = count;
    if (!this.#stream.isReady) this.#stream.drained();
  }

  leave(): void {
    this.#stream.close();
    for (const watcher of this.watchers.values()) watcher.state = "cancelled";
    this.watchers.clear();
  }

  checkNothingMissing(): void {
    for (const watcher of this.watchers.values()) {
      if (watcher.state === "open") this.#world.check(watcher, [], Number.POSITIVE_INFINITY);
    }
  }

  #noticed(notice: WatchNotice): boolean {
    switch (notice.kind) {
      case "created":
        this.#created(notice.watchId, notice.revision);
        break;
      case "cancelled":
        this.#end(notice.watchId, "cancelled");
        break;
      case "overtaken":
        assert((this.watchers.get(notice.watchId)?.next ?? 0) < notice.compactRevision, "Who lacks nothing is not overtaken");
        this.#end(notice.watchId, "overtaken");
        break;
      case "progress":
        this.#progressed(notice.watchId, notice.revision);
        break;
      case "refused":
        assert(this.watchers.size === streamWatchersMax, "Watchers are refused only above the limit");
        break;
      default:
        notice satisfies never;
    }
    return this.#takesMore();
  }

  #created(id: bigint, revision: number): void {
    if (this.#pending === null) throw new Error("Nothing was asked");
    assert(revision === this.#world.store.revision, "A creation is answered with the current revision");
    assert(!this.watchers.has(id), "An id is given once");
    const start = this.#pending.creation.startRevision ?? 0;
    this.watchers.set(id, { ...this.#pending, next: start === 0 ? revision + 1 : start, state: "open" });
    this.#pending = null;
  }

  #end(id: bigint, state: "overtaken" | "cancelled"): void {
    const watcher = this.watchers.get(id);
    if (watcher === undefined) throw new Error(`Watcher ${id} is not known`);
    assert(state === "cancelled" || watcher.state === "open", "A watcher is overtaken once");
    watcher.state = state;
  }

  /** It promises that everything up to the revision was delivered. */
  #progressed(id: bigint, revision: number): void {
    this.#progressCount++;
    const meant = id === -1n ? [...this.watchers.values()].filter(({ state }) => state === "open") : [this.watchers.get(id)];
    assert(meant.length > 0, "Progress is told of watchers");
    for (const watcher of meant) {
      assert(watcher?.state === "open", "Progress is told of watchers that live");
      this.#world.check(watcher, [], revision);
    }
  }

  #delivered({ id }: Watcher, revision: number, events: readonly Uint8Array[]): boolean {
    const watcher = this.watchers.get(id);
    if (watcher?.state !== "open") throw new Error(`Watcher ${id} gets events after its end`);
    const got = events.map(text);
    assert(got.length > 0, "A response with events has some");
    const last = Number(got.at(-1)?.split(" ")[1]);
    this.#world.check(watcher, got, last);
    assert(revision >= last, "No response is older than its events");
    watcher.next = last + 1;
    return this.#takesMore();
  }

  #takesMore(): boolean {
    return --this.patience > 0;
  }
}
