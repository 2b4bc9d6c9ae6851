import { etcdserverpb, fromBinary } from "@raftkv/api";
import { beforeEach, expect, test } from "vitest";
import { WatchResponseEncoder } from "./watch-response-encoder.ts";

const node = { term: 3 };
/** `WatchResponse.events` with one event that is empty but for its type. */
const deletion = Uint8Array.of(0x5a, 2, 0x08, 1);
let encoder: WatchResponseEncoder;

beforeEach(() => {
  node.term = 3;
  encoder = new WatchResponseEncoder({
    node,
    header: (revision) => ({ clusterId: 1n, memberId: 2n, revision, raftTerm: node.term }),
  });
});

function decoded(message: Uint8Array): etcdserverpb.WatchResponse {
  return fromBinary(etcdserverpb.WatchResponseSchema, message);
}

test("the same events for the same id are one message", () => {
  const events = [deletion];
  const first = encoder.events(0n, 5, events);
  expect(encoder.events(0n, 5, events)).toBe(first);
  expect(decoded(first)).toMatchObject({ watchId: 0n, header: { revision: 5n, raftTerm: 3n }, events: [{ type: 1 }] });
});

test("another id, revision, term or list makes another message", () => {
  const events = [deletion];
  encoder.events(0n, 5, events);
  expect(decoded(encoder.events(7n, 5, events)).watchId).toBe(7n);
  expect(decoded(encoder.events(7n, 6, events)).header?.revision).toBe(6n);
  node.term = 4;
  expect(decoded(encoder.events(7n, 6, events)).header?.raftTerm).toBe(4n);
  expect(decoded(encoder.events(7n, 6, [deletion, deletion])).events).toHaveLength(2);
});

test("a list of events that watchers with different ids get is the same for all of them", () => {
  const events = [deletion, deletion, deletion];
  const messages = [1n, 2n, 3n, 3n, 1n].map((id) => encoder.events(id, 5, events));
  const expected = [1n, 2n, 3n, 3n, 1n].map((watchId) => ({
    watchId,
    header: { revision: 5n },
    events: [{ type: 1 }, { type: 1 }, { type: 1 }],
  }));
  expect(messages.map(decoded)).toMatchObject(expected);
});

test("a large message is made for everybody anew", () => {
  const large = new Uint8Array(1024 * 1024 + 100);
  // `WatchResponse.events` with an unknown field that fills it.
  large.set([0x5a, 0xe0, 0x80, 0x40, 0x52, 0xdc, 0x80, 0x40]);
  const events = [large];
  const first = encoder.events(1n, 5, events);
  const second = encoder.events(1n, 5, events);
  expect(second).not.toBe(first);
  expect(second).toEqual(first);
});

test("parts say whether others follow", () => {
  expect(decoded(encoder.fragment(1n, 5, [deletion], "more"))).toMatchObject({ fragment: true, watchId: 1n });
  expect(decoded(encoder.fragment(1n, 5, [deletion], "last"))).toMatchObject({ fragment: false, watchId: 1n });
});

test.each([
  [{ kind: "created", watchId: 4n, revision: 9 } as const, { watchId: 4n, created: true, canceled: false, header: { revision: 9n } }],
  [{ kind: "cancelled", watchId: 4n, revision: 9 } as const, { watchId: 4n, created: false, canceled: true, cancelReason: "" }],
  [{ kind: "progress", watchId: -1n, revision: 9 } as const, { watchId: -1n, created: false, canceled: false, header: { revision: 9n } }],
  [{ kind: "refused", reason: "why", revision: 9 } as const, { watchId: -1n, created: true, canceled: true, cancelReason: "why" }],
  [
    { kind: "overtaken", watchId: 4n, compactRevision: 8 } as const,
    { watchId: 4n, created: false, canceled: true, compactRevision: 8n, cancelReason: "", header: { revision: 0n, memberId: 2n } },
  ],
])("the notice %o is told as etcd tells it", (notice, expected) => {
  expect(decoded(encoder.notice(notice))).toMatchObject(expected);
});
