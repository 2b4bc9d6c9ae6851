import { assert } from "../assertion.ts";
import { orderOfBytes } from "../byte-order.ts";
import type { EventView } from "../event-view.ts";
import { KVStore } from "../kv-store.ts";
import { type KeySpan, keySpanOf } from "../watch/key-span.ts";
import { WatchHub } from "../watch/watch-hub.ts";
import type { WatchCreation } from "../watch/watch-stream.ts";

interface PastEvent {
  readonly kind: "put" | "delete";
  readonly revision: number;
  readonly key: Uint8Array;
  readonly value: string;
  readonly previous: string | null;
}

/** What a watcher asked for, and how far it is. */
export interface ExpectedWatcher {
  readonly span: KeySpan;
  readonly creation: WatchCreation;
  /** Everything below was seen. */
  next: number;
  state: "open" | "overtaken" | "cancelled";
}

export const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
export const bytes = (characters: string): Uint8Array => Uint8Array.from(characters, (character) => character.charCodeAt(0));

function encodeEvent(event: EventView, withPrevious: boolean): Uint8Array {
  const previous = withPrevious && event.previous !== null ? text(event.previous.valueView()) : "-";
  return bytes([event.kind, event.revision, text(event.current.keyView()), text(event.current.valueView()), previous].join(" "));
}

function holds(span: KeySpan, key: Uint8Array): boolean {
  if (span.kind === "key") return orderOfBytes(span.key, key) === 0;
  return orderOfBytes(span.start, key) <= 0 && (span.end === null || orderOfBytes(key, span.end) < 0);
}

/** A store with its hub, and beside it a plain list of everything that ever happened. */
export class WatchWorld {
  store = new KVStore();
  hub = new WatchHub({ store: this.store, encodeEvent });
  readonly events: PastEvent[] = [];
  readonly values = new Map<string, string>();

  /** The revision that the next change takes. */
  #nextRevision = 2;

  write(work: () => void): void {
    this.#nextRevision = this.store.revision + 1;
    this.store.atOneRevision(work);
    this.hub.publish();
  }

  put(key: Uint8Array, value: string): void {
    this.#note("put", key, value, this.values.get(text(key)) ?? null);
    this.values.set(text(key), value);
    this.store.set(key, bytes(value));
  }

  deleteRange(key: Uint8Array, rangeEnd: Uint8Array): void {
    const span = keySpanOf(key, rangeEnd);
    const gone = [...this.values.keys()].filter((name) => span !== null && holds(span, bytes(name))).sort();
    for (const name of gone) {
      this.#note("delete", bytes(name), "", this.values.get(name) ?? null);
      this.values.delete(name);
    }
    this.store.deleteRange(key, rangeEnd);
  }

  compact(revision: number): void {
    this.store.compact(revision);
  }

  /** Another member's snapshot takes the place of everything, after that member has gone on alone for a while. */
  restoreLater(keys: readonly Uint8Array[]): void {
    const other = new KVStore({ seed: 99 });
    copyState(this.store, other);
    const { store } = this;
    this.store = other;
    for (const [at, key] of keys.entries()) {
      this.#nextRevision = other.revision + 1;
      this.put(key, `later${at}`);
      if (at % 3 === 2) other.compact(other.revision - 1);
    }
    this.store = store;
    copyState(other, store);
    this.hub.restored();
  }

  /** What a watcher has to get, from the revision it is at up to another one. */
  #due({ span, creation, next }: ExpectedWatcher, last: number): PastEvent[] {
    return this.events.filter(
      ({ kind, revision, key }) =>
        revision >= next && revision <= last && holds(span, key) && !(kind === "put" ? creation.noPut : creation.noDelete),
    );
  }

  /** Events of the compact revision that are deletes are gone for those who did not get them before. */
  #isOptional({ kind, revision }: PastEvent): boolean {
    return kind === "delete" && revision === this.store.compactRevision;
  }

  /** Checks what a watcher got, up to the revision of its last event. */
  check(watcher: ExpectedWatcher, got: readonly string[], last: number): void {
    const wantsPrevious = watcher.creation.prevKv === true;
    const due = this.#due(watcher, last).filter((event) => {
      const shown = this.#forms(event, wantsPrevious);
      return !(this.#isOptional(event) && !got.some((each) => shown.includes(each)));
    });
    const isRight = got.length === due.length && due.every((event, at) => this.#forms(event, wantsPrevious).includes(got[at] ?? ""));
    assert(isRight, `A watcher from ${watcher.next} on got [${got}] of [${due.map((event) => this.#forms(event, wantsPrevious))}]`);
  }

  /** What was there before is shown unless it was compacted when the event was gathered. */
  #forms({ kind, revision, key, value, previous }: PastEvent, wantsPrevious: boolean): string[] {
    const form = (shown: string | null): string => [kind, revision, text(key), value, shown ?? "-"].join(" ");
    if (!wantsPrevious) return [form(null)];
    return revision <= this.store.compactRevision ? [form(previous), form(null)] : [form(previous)];
  }

  #note(kind: "put" | "delete", key: Uint8Array, value: string, previous: string | null): void {
    this.events.push({ kind, revision: this.#nextRevision, key, value, previous });
  }
}

function copyState(from: KVStore, to: KVStore): void {
  const snapshot = from.snapshot();
  const restorer = to.createRestorer();
  for (let chunk = snapshot.nextChunk(); chunk !== null; chunk = snapshot.nextChunk()) restorer.push(chunk);
  snapshot.close();
  restorer.finish();
}
