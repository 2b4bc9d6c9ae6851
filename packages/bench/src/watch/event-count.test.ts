import { create, etcdserverpb, toBinary } from "@raftkv/api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { countEvents } from "./event-count.ts";

test("events are counted whatever else stands in the response", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }),
      fc.bigInt({ min: -1n, max: 2n ** 62n }),
      (values, watchId) => {
        const response = create(etcdserverpb.WatchResponseSchema, {
          header: { clusterId: 2n ** 64n - 1n, revision: 5n },
          watchId,
          created: values.length === 0,
          events: values.map((value) => ({ kv: { key: value, value, modRevision: 2n ** 40n } })),
        });
        expect(countEvents(toBinary(etcdserverpb.WatchResponseSchema, response))).toBe(values.length);
      },
    ),
  );
});

test("bytes that are no message are an error", () => {
  expect(() => countEvents(Uint8Array.of(0x80))).toThrow(RangeError);
  expect(() => countEvents(Uint8Array.of(0x5a, 5, 0))).toThrow(RangeError);
  expect(() => countEvents(Uint8Array.of(0x0d, 0, 0, 0, 0))).toThrow(RangeError);
});
