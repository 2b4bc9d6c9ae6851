import { expect, test } from "vitest";
import { keySpanOf, spanBytes } from "./key-span.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const none = bytes();

test("a request names one key, a range, or all keys from one on", () => {
  expect(keySpanOf(bytes(1), none)).toEqual({ kind: "key", key: bytes(1) });
  expect(keySpanOf(bytes(1), bytes(2))).toEqual({ kind: "range", start: bytes(1), end: bytes(2) });
  expect(keySpanOf(bytes(1), bytes(0))).toEqual({ kind: "range", start: bytes(1), end: null });
});

test("an empty key is the smallest one", () => {
  expect(keySpanOf(none, none)).toEqual({ kind: "key", key: bytes(0) });
  expect(keySpanOf(none, bytes(0))).toEqual({ kind: "range", start: bytes(0), end: null });
  expect(keySpanOf(none, bytes(7))).toEqual({ kind: "range", start: bytes(0), end: bytes(7) });
});

test("a range that no key lies in is none", () => {
  expect(keySpanOf(bytes(2), bytes(1))).toBe(null);
  expect(keySpanOf(bytes(2), bytes(2))).toBe(null);
  expect(keySpanOf(bytes(2, 0), bytes(2))).toBe(null);
  expect(keySpanOf(bytes(2), bytes(2, 0))).not.toBe(null);
});

test("a span keeps its bytes whatever becomes of the request's", () => {
  const key = bytes(1);
  const end = bytes(9);
  const span = keySpanOf(key, end);
  key.fill(5);
  end.fill(5);
  expect(span).toEqual({ kind: "range", start: bytes(1), end: bytes(9) });
  expect([span, keySpanOf(bytes(1, 2, 3), none), keySpanOf(bytes(1, 2), bytes(0))].map((each) => each && spanBytes(each))).toEqual([
    2, 3, 2,
  ]);
});
