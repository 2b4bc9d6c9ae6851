import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeOperationResult, encodeOperationResult, type OperationResult } from "./session-result.ts";

const outcome = fc.constantFrom<OperationResult["outcome"]>("created", "updated", "removed", "already-exists", "not-found");

test("a result is remembered as it was", () => {
  fc.assert(
    fc.property(fc.record({ outcome, revision: fc.maxSafeNat() }, { noNullPrototype: true }), (result) => {
      expect(decodeOperationResult(encodeOperationResult(result))).toEqual(result);
    }),
  );
});

test("the bytes of an outcome never change: snapshots hold them", () => {
  expect(encodeOperationResult({ outcome: "created", revision: 258 })).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 2));
  expect(encodeOperationResult({ outcome: "not-found", revision: 1 })[0]).toBe(4);
});

test.each([[[]], [[9, 0, 0, 0, 0, 0, 0, 0, 0]], [[0, 1]], [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]])(
  "bytes that hold no result are refused: %j",
  (bytes) => {
    expect(() => decodeOperationResult(Uint8Array.from(bytes))).toThrow("are no result of an operation");
  },
);
