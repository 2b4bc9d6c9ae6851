import type { EventView } from "../event-view.ts";
import type { KeyValueView } from "../key-value.ts";
import type { KVStore } from "../kv-store.ts";
import type { RangeQuery } from "../range-query.ts";
import { RevisionError } from "../revision-error.ts";
import { decodeSessions } from "../session/session-section.ts";
import { bytesOf } from "./bytes-as-text.ts";
import type { NaiveSessions } from "./naive-sessions.ts";
import type { NaiveEvent, NaiveRange, NaiveStore } from "./naive-store.ts";

/** What a store or model says instead of an answer about a revision that can't be read. */
interface UnreadableRevision {
  readonly unreadable: "compacted" | "future";
}

const everything = bytesOf("\0");

/** The changes of up to `revisionsMax` revisions, and where to go on. */
export function eventsOf(store: KVStore, from: number, revisionsMax: number): unknown {
  const events: unknown[] = [];
  return readable(() => {
    const next = store.visitEvents(from, revisionsMax, (event) => events.push(copied(event)));
    return { events, next };
  });
}

export function expectedEvents(
  model: NaiveStore,
  from: number,
  revisionsMax: number,
): { readonly events: readonly NaiveEvent[]; readonly next: number } | UnreadableRevision {
  if (from > model.revision) return { events: [], next: from };
  if (from < model.compactRevision) return { unreadable: "compacted" };
  const next = Math.min(Math.max(from, 1) + revisionsMax, model.revision + 1);
  return { events: model.events(from, next), next };
}

export function rangeOf(store: KVStore, key: Uint8Array, rangeEnd: Uint8Array, query: RangeQuery): unknown {
  return readable(() => store.range(key, rangeEnd, query));
}

export function expectedRange(model: NaiveStore, key: string, rangeEnd: string, query: RangeQuery): NaiveRange | UnreadableRevision {
  const revision = query.revision ?? 0;
  if (revision > model.revision) return { unreadable: "future" };
  if (revision > 0 && revision < model.compactRevision) return { unreadable: "compacted" };
  return model.range(key, rangeEnd, query);
}

/** Everything that can be asked of a store, with ranges at the given revisions. */
export function wholeState(store: KVStore, revisions: readonly number[]): unknown {
  const { leases } = store;
  const pieces = [...store.sessions.write()].map(decodeSessions);
  return {
    revision: store.revision,
    compactRevision: store.compactRevision,
    keyCount: store.keyCount,
    payloadBytes: store.payloadBytes,
    ranges: revisions.map((revision) => store.range(everything, everything, { revision })),
    events: eventsOf(store, Math.max(store.compactRevision, 1), Number.MAX_SAFE_INTEGER),
    leases: [...leases.list()].map((lease) => ({ ...lease, keys: leases.keysOf(lease.id) })),
    nowMs: pieces[0]?.nowMs,
    sessions: pieces
      .flatMap(({ sessions }) => sessions)
      .map(({ results, ...session }) => ({ ...session, results: Array.from(results, ([sequence, result]) => ({ sequence, result })) })),
  };
}

export function expectedState(model: NaiveStore, sessions: NaiveSessions, revisions: readonly number[]): unknown {
  return {
    revision: model.revision,
    compactRevision: model.compactRevision,
    keyCount: model.current.length,
    payloadBytes: model.payloadBytes,
    ranges: revisions.map((revision) => model.range("\0", "\0", { revision })),
    events: expectedEvents(model, Math.max(model.compactRevision, 1), Number.MAX_SAFE_INTEGER),
    leases: model.leases.map((lease) => ({ ...lease, keys: model.keysOfLease(lease.id) })),
    nowMs: sessions.nowMs,
    sessions: sessions.sessions,
  };
}

function copied(event: EventView): unknown {
  const { kind, revision, current, previous } = event;
  return { kind, revision, current: record(current), previous: previous === null ? null : record(previous) };
}

function record(view: KeyValueView): unknown {
  return view.toKeyValue();
}

function readable(read: () => unknown): unknown {
  try {
    return read();
  } catch (reason) {
    if (!(reason instanceof RevisionError)) throw reason;
    return { unreadable: reason.reason };
  }
}
