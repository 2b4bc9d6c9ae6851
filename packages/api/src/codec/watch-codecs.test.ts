import { isDeepStrictEqual } from "node:util";
import { create, equals, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  WatchCreateRequest_FilterType as FilterType,
  WatchCancelRequestSchema,
  WatchRequestSchema,
  WatchResponseSchema,
} from "../generated/etcdserverpb/watch_pb.ts";
import { Event_EventType } from "../generated/mvccpb/kv_pb.ts";
import { bool, bytes, header, int64, keyValue, record, text, uint } from "../testing/arbitraries.ts";
import { messageOf } from "../testing/generated-message.ts";
import { CodecError } from "./codec-error.ts";
import type { KeyValue } from "./etcd-message.ts";
import { decodeWatchRequest, type WatchRequest } from "./watch-request.ts";
import {
  encodeWatchEvent,
  encodeWatchEvents,
  encodeWatchHeader,
  encodeWatchNotification,
  type RecordView,
  type WatchEventView,
} from "./watch-response.ts";

type RequestInit = Exclude<MessageInitShape<typeof WatchRequestSchema>["requestUnion"], undefined>;

const createRequest = record({
  key: bytes,
  rangeEnd: bytes,
  startRevision: fc.maxSafeInteger(),
  progressNotify: bool,
  noPut: bool,
  noDelete: bool,
  prevKv: bool,
  watchId: int64,
  fragment: bool,
});
const watchRequest: fc.Arbitrary<WatchRequest> = fc.oneof(
  createRequest.map((request) => ({ type: "create" as const, request })),
  int64.map((watchId) => ({ type: "cancel" as const, watchId })),
  fc.constant({ type: "progress" as const }),
  fc.constant({ type: "none" as const }),
);

function requestUnion(request: WatchRequest): RequestInit {
  switch (request.type) {
    case "create": {
      const { startRevision, noPut, noDelete, ...rest } = request.request;
      const filters = [...(noPut ? [FilterType.NOPUT] : []), ...(noDelete ? [FilterType.NODELETE] : [])];
      return { case: "createRequest", value: { ...rest, startRevision: BigInt(startRevision), filters } };
    }
    case "cancel":
      return { case: "cancelRequest", value: { watchId: request.watchId } };
    case "progress":
      return { case: "progressRequest", value: {} };
    default:
      return { case: undefined };
  }
}

function encodeRequest(request: WatchRequest): Uint8Array {
  return toBinary(WatchRequestSchema, create(WatchRequestSchema, { requestUnion: requestUnion(request) }));
}

describe("a watch request", () => {
  test("is read as protobuf-es wrote it", () => {
    fc.assert(fc.property(watchRequest, (request) => isDeepStrictEqual(decodeWatchRequest(encodeRequest(request)), request)));
  });

  test("is refused where it is cut, or reads as a request that can be written again", () => {
    fc.assert(
      fc.property(watchRequest, fc.nat(), fc.nat({ max: 255 }), (request, position, flip) => {
        const whole = encodeRequest(request);
        const damaged = whole.slice(0, position % (whole.length + 1));
        if (damaged.length > 0) damaged[position % damaged.length] = (damaged[position % damaged.length] ?? 0) ^ flip;
        const read = decodedOrNull(damaged);
        return read === null || isDeepStrictEqual(decodeWatchRequest(encodeRequest(read)), read);
      }),
    );
  });

  test("may come in parts, of which the last kind counts", () => {
    const part = (request: WatchRequest): number[] => [...encodeRequest(request)];
    const cancel: WatchRequest = { type: "cancel", watchId: 7n };
    const progress: WatchRequest = { type: "progress" };
    expect(decodeWatchRequest(Uint8Array.from([...part(progress), ...part(cancel)]))).toEqual(cancel);
    expect(decodeWatchRequest(Uint8Array.from([...part(cancel), ...part(progress)]))).toEqual(progress);
    // A cancel without an id, twice the same member, is merged with the one before it.
    expect(decodeWatchRequest(Uint8Array.from([...part(cancel), 0x12, 0]))).toEqual(cancel);
    expect(decodeWatchRequest(Uint8Array.from([...part(cancel), ...part(progress), 0x12, 0]))).toEqual({ type: "cancel", watchId: 0n });
  });

  test("may have filters that are not packed, and some that nobody knows", () => {
    expect(decodeWatchRequest(Uint8Array.from([0x0a, 6, 0x28, 1, 0x28, 9, 0x28, 0]))).toMatchObject({
      request: { noPut: true, noDelete: true },
    });
    expect(decodeWatchRequest(Uint8Array.from([0x0a, 3, 0x2a, 1, 5]))).toMatchObject({ request: { noPut: false, noDelete: false } });
  });

  test("of a newer client is none of those that are known", () => {
    expect(decodeWatchRequest(Uint8Array.from([0x22, 0]))).toEqual({ type: "none" });
    const unknown = toBinary(WatchCancelRequestSchema, create(WatchCancelRequestSchema, { watchId: 3n }));
    expect(decodeWatchRequest(Uint8Array.from([0x12, unknown.length + 2, ...unknown, 0x50, 1]))).toEqual({ type: "cancel", watchId: 3n });
  });
});

const change = fc.record({
  kind: fc.constantFrom("put" as const, "delete" as const),
  current: keyValue,
  previous: fc.option(keyValue),
  wantsPrevious: bool,
});

describe("a watch response", () => {
  test("with events is what protobuf-es reads, and no longer", () => {
    fc.assert(
      fc.property(header, int64, bool, fc.array(change, { maxLength: 5 }), (responseHeader, watchId, isFragment, changes) => {
        const events = changes.map(({ wantsPrevious, ...event }) => encodeWatchEvent(eventView(event), wantsPrevious));
        const written = encodeWatchEvents(encodeWatchHeader(responseHeader), watchId, events, isFragment);
        const expected = messageOf(WatchResponseSchema, {
          header: responseHeader,
          watchId,
          fragment: isFragment,
          events: changes.map(({ kind, current, previous, wantsPrevious }) => ({
            type: kind === "put" ? Event_EventType.PUT : Event_EventType.DELETE,
            kv: current,
            prevKv: wantsPrevious ? previous : null,
          })),
        });
        expect(equals(WatchResponseSchema, fromBinary(WatchResponseSchema, written), expected)).toBe(true);
        expect(written.length).toBe(toBinary(WatchResponseSchema, expected).length);
      }),
    );
  });

  test("without events is what protobuf-es reads, and no longer", () => {
    const notification = record({ header, watchId: int64, created: bool, canceled: bool, compactRevision: uint, cancelReason: text });
    fc.assert(
      fc.property(notification, (plain) => {
        const written = encodeWatchNotification(plain);
        const expected = messageOf(WatchResponseSchema, { ...plain });
        expect(equals(WatchResponseSchema, fromBinary(WatchResponseSchema, written), expected)).toBe(true);
        expect(written.length).toBe(toBinary(WatchResponseSchema, expected).length);
      }),
    );
  });

  test("may be made of an event that went into others before", () => {
    const pair = { key: Uint8Array.of(1), value: new Uint8Array(70_000), createRevision: 2, modRevision: 2, version: 1, lease: 0n };
    const event = encodeWatchEvent(eventView({ kind: "put", current: pair, previous: null }), true);
    const first = encodeWatchHeader({ clusterId: 1n, memberId: 2n, revision: 2, raftTerm: 3 });
    const [one, two] = [5n, 6n].map((id) => fromBinary(WatchResponseSchema, encodeWatchEvents(first, id, [event])));
    expect(one?.watchId).toBe(5n);
    expect(two).toMatchObject({ watchId: 6n, events: one?.events });
  });
});

function decodedOrNull(input: Uint8Array): WatchRequest | null {
  try {
    return decodeWatchRequest(input);
  } catch (error) {
    if (error instanceof CodecError) return null;
    throw error;
  }
}

function eventView(event: {
  readonly kind: "put" | "delete";
  readonly current: KeyValue;
  readonly previous: KeyValue | null;
}): WatchEventView {
  return { kind: event.kind, current: recordView(event.current), previous: event.previous === null ? null : recordView(event.previous) };
}

function recordView({ key, value, lease, ...numbers }: KeyValue): RecordView {
  return {
    ...numbers,
    leaseHigh: Number(BigInt.asIntN(32, lease >> 32n)),
    leaseLow: Number(BigInt.asIntN(32, lease)),
    keyLength: key.length,
    valueLength: value.length,
    keyView: () => key,
    valueView: () => value,
  };
}
