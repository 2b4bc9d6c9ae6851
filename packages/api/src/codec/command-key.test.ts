import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeAdvanceTimeCommand, encodeRequestCommand } from "./command.ts";
import { type KeyPlace, locateKey } from "./command-key.ts";
import { encodeDeleteRangeRequest, encodePutRequest } from "./etcd-request.ts";
import { encodeKeyRequest, encodeKeyValueRequest } from "./raftkv-message.ts";

const key = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.uint8Array({ minLength: 126, maxLength: 300 }));
const value = fc.uint8Array({ maxLength: 300 });
const command = fc.tuple(key, value, fc.constantFrom("put", "deleteRange", "create", "update", "remove")).map(([key, value, type]) => {
  const session = { clientId: 1n, sequence: 2, lowestAwaited: 3 };
  const flags = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
  switch (type) {
    case "put":
      return { key, bytes: encodeRequestCommand(type, encodePutRequest({ key, value, ...flags })) };
    case "deleteRange":
      return { key, bytes: encodeRequestCommand(type, encodeDeleteRangeRequest({ key, rangeEnd: value, prevKv: true })) };
    case "create":
    case "update":
      return { key, bytes: encodeRequestCommand(type, encodeKeyValueRequest({ key, value, ...session })) };
    default:
      return { key, bytes: encodeRequestCommand("remove", encodeKeyRequest({ key, ...session })) };
  }
});

function keyIn(bytes: Uint8Array): Uint8Array | null {
  const place: KeyPlace = { start: 0, length: 0 };
  if (!locateKey(bytes, place)) return null;
  expect(place.start + place.length).toBeLessThanOrEqual(bytes.length);
  expect(Math.min(place.start, place.length)).toBeGreaterThanOrEqual(0);
  return bytes.subarray(place.start, place.start + place.length);
}

describe("the key of a command", () => {
  test("is found without decoding it", () => {
    fc.assert(
      fc.property(command, ({ key, bytes }) => {
        expect(keyIn(bytes)).toEqual(key);
      }),
    );
  });

  test("is not there in a command of no key or of several, or behind the end", () => {
    expect(keyIn(encodeAdvanceTimeCommand(5))).toBeNull();
    expect(keyIn(encodeRequestCommand("txn", new Uint8Array(0)))).toBeNull();
    expect(keyIn(encodeRequestCommand("put", new Uint8Array(0)))).toBeNull();
    expect(keyIn(new Uint8Array(0))).toBeNull();
    expect(keyIn(Uint8Array.of(0x0a, 0x05, 0x0a, 0x06, 1, 2))).toBeNull();
  });

  test("lies within the bytes, whatever they are", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc.uint8Array({ maxLength: 30 }).map((tail) => Uint8Array.of(0x0a, 0x03, 0x0a, ...tail)),
      fc.tuple(command, fc.nat()).map(([{ bytes: whole }, end]) => whole.subarray(0, end % (whole.length + 1))),
    );
    fc.assert(fc.property(bytes, (each) => void keyIn(each)));
  });
});
