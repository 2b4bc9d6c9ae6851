import fc from "fast-check";
import { expect, test } from "vitest";
import { EventAssembly } from "./event-assembly.ts";
import type { WatchResponse } from "./watch-response.ts";
import type { WatchBatch, WatchEvent } from "./watch-types.ts";

const none = new Uint8Array(0);

function event(modRevision: number): WatchEvent {
  return { type: "put", kv: { key: none, value: none, createRevision: 1, modRevision, version: 1, lease: 0n }, prevKv: null };
}

function response(events: readonly WatchEvent[], fragment: boolean, revision = 1000): WatchResponse {
  const header = { clusterId: 1n, memberId: 1n, revision, raftTerm: 1 };
  return { header, watchId: 0n, created: false, canceled: false, compactRevision: 0, cancelReason: "", fragment, events, bytes: 1 };
}

const revisions = (events: readonly WatchEvent[]): number[] => events.map(({ kv }) => kv.modRevision);

test("the last revision of a piece waits for the next piece", () => {
  const assembly = new EventAssembly(1);
  expect(revisions(assembly.accept(response([event(1), event(2)], true))?.events ?? [])).toEqual([1]);
  expect(assembly.accept(response([event(2)], true))).toBeNull();
  expect(assembly.nextRevision).toBe(2);
  expect(revisions(assembly.accept(response([event(2), event(3)], false))?.events ?? [])).toEqual([2, 2, 2, 3]);
  expect(assembly.nextRevision).toBe(4);
});

test("what was held back is forgotten when the stream is lost: it comes again", () => {
  const assembly = new EventAssembly(1);
  assembly.accept(response([event(1), event(2)], true));
  assembly.interrupted();
  expect(revisions(assembly.accept(response([event(2), event(2)], false))?.events ?? [])).toEqual([2, 2]);
});

test("progress of a member that lags behind takes nothing back", () => {
  const assembly = new EventAssembly(0);
  assembly.created(50);
  assembly.accept(response([event(60)], false));
  expect(assembly.accept(response([], false, 40))).toMatchObject({ revision: 60, events: [] });
  expect(assembly.nextRevision).toBe(61);
});

test("however responses are cut and streams are lost, every event is told once, in order, and revisions are not torn apart", () => {
  const history = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 30 });
  const cuts = fc.array(fc.record({ length: fc.integer({ min: 1, max: 5 }), lost: fc.boolean() }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(history, cuts, (sizes, pieces) => {
      const all = sizes.flatMap((size, place) => Array.from({ length: size }, () => event(place + 1)));
      const assembly = new EventAssembly(1);
      const batches: WatchBatch[] = [];
      let at = 0;
      let piece = 0;
      for (let step = 0; at < all.length; step++) {
        // Once the losses are used up everything comes in pieces of their lengths.
        const { length, lost } = {
          ...(pieces[piece % pieces.length] ?? { length: 1, lost: false }),
          ...(step > 60 ? { lost: false } : {}),
        };
        piece += 1;
        const events = all.slice(at, at + length);
        at += length;
        const batch = assembly.accept(response(events, at < all.length));
        if (batch !== null) batches.push(batch);
        if (!lost) continue;
        assembly.interrupted();
        at = all.findIndex(({ kv }) => kv.modRevision >= assembly.nextRevision);
        if (at === -1) break;
      }
      expect(batches.flatMap(({ events }) => revisions(events))).toEqual(revisions(all));
      // No revision is in two batches, and each batch says how far it goes.
      expect(batches.flatMap(({ events }) => [...new Set(revisions(events))])).toEqual([...new Set(revisions(all))]);
      expect(batches.map(({ revision }) => revision)).toEqual(batches.map(({ events }) => revisions(events).at(-1)));
    }),
    { numRuns: 500 },
  );
});
