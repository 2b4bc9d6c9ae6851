import { create, etcdserverpb, toBinary } from "@raftkv/api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ResponseScanner } from "./response-scanner.ts";

const response = fc
  .record({
    watchId: fc.bigInt({ min: -1n, max: 2n ** 62n }),
    created: fc.boolean(),
    canceled: fc.boolean(),
    values: fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }),
  })
  .map(({ values, ...rest }) =>
    create(etcdserverpb.WatchResponseSchema, {
      header: { clusterId: 2n ** 64n - 1n, revision: 5n },
      ...rest,
      events: values.map((value) => ({ kv: { key: value, value, modRevision: 2n ** 40n } })),
    }),
  );

function framed(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + message.length);
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, 5);
  return bytes;
}

test("what stands in responses is counted in whatever pieces they come", () => {
  fc.assert(
    fc.property(fc.array(response, { maxLength: 5 }), fc.array(fc.nat({ max: 3000 })), (responses, cuts) => {
      const bytes = Buffer.concat(responses.map((each) => framed(toBinary(etcdserverpb.WatchResponseSchema, each))));
      const scanner = new ResponseScanner();
      const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].toSorted((a, b) => a - b);
      for (const [place, start] of places.entries()) scanner.scan(bytes, start, places[place + 1] ?? start);
      expect(scanner.isBetweenResponses).toBe(true);
      expect(scanner).toMatchObject({
        responses: responses.length,
        events: responses.reduce((count, { events }) => count + events.length, 0),
        created: responses.filter(({ created }) => created).length,
        canceled: responses.filter(({ canceled }) => canceled).length,
      });
    }),
  );
});

test("a response that lacks its last byte does not count", () => {
  const message = toBinary(etcdserverpb.WatchResponseSchema, create(etcdserverpb.WatchResponseSchema, { events: [{}, {}] }));
  const bytes = framed(message);
  const scanner = new ResponseScanner();
  scanner.scan(bytes, 0, bytes.length - 1);
  expect([scanner.responses, scanner.events, scanner.isBetweenResponses]).toEqual([0, 0, false]);
  scanner.scan(bytes, bytes.length - 1, bytes.length);
  expect([scanner.responses, scanner.events, scanner.isBetweenResponses]).toEqual([1, 2, true]);
});

test.each([
  ["compressed", Uint8Array.of(1, 0, 0, 0, 0)],
  ["cut within a number", framed(Uint8Array.of(0x80))],
  ["cut within a field", framed(Uint8Array.of(0x5a, 5, 0))],
  ["cut behind a tag", framed(Uint8Array.of(0x5a))],
  ["of fields that a watch response does not have", framed(Uint8Array.of(0x0d, 0, 0, 0, 0))],
])("bytes that are %s are an error", (_, bytes) => {
  expect(() => new ResponseScanner().scan(bytes, 0, bytes.length)).toThrow(RangeError);
});
