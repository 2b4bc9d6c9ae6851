import { expect, test } from "vitest";
import { Trace } from "./trace.ts";

test("the last lines are kept, oldest first", () => {
  const trace = new Trace(3);
  for (const [position, kind] of ["a", "b", "c", "d"].entries()) {
    trace.add(position * 1_000, kind, "node");
    expect(trace.lines.map((line) => line.kind).join("")).toBe("abcd".slice(Math.max(0, position - 2), position + 1));
  }
  expect(trace.text).toBe("1.000 ms  b  node\n2.000 ms  c  node\n3.000 ms  d  node");
});

test("the hash changes with every part of a line and with bytes, and does not depend on the lines kept", () => {
  const hashOf = (timeUs: number, kind: string, subject: string, bytes: readonly number[], linesMax = 0): string => {
    const trace = new Trace(linesMax);
    trace.add(timeUs, kind, subject);
    trace.addBytes(Uint8Array.from(bytes));
    return trace.hash;
  };
  const same = hashOf(1, "kind", "subject", [1, 2]);
  expect(hashOf(1, "kind", "subject", [1, 2], 10)).toBe(same);
  const others = [
    hashOf(2, "kind", "subject", [1, 2]),
    hashOf(2 ** 40 + 1, "kind", "subject", [1, 2]),
    hashOf(1, "king", "subject", [1, 2]),
  ];
  others.push(
    hashOf(1, "kind", "object", [1, 2]),
    hashOf(1, "kind", "subject", [2, 1]),
    hashOf(1, "kind", "subject", [1, 2, 0]),
    hashOf(1, "kind", "subject", []),
  );
  expect(new Set([same, ...others]).size).toBe(8);
});
