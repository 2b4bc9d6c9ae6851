import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Inflated } from "../grpc/compressor.ts";
import { gzip } from "./gzip.ts";

const inflate = (compressed: Uint8Array, bytesMax = 1 << 20): Promise<Inflated> =>
  new Promise((resolve) => gzip.inflate(compressed, bytesMax, resolve));
const compress = (message: Uint8Array): Promise<Uint8Array | null> => new Promise((resolve) => gzip.compress(message, resolve));

test("any message is the same after both ways", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300_000, size: "max" }), async (message) => {
      const compressed = (await compress(message)) ?? new Uint8Array(0);
      expect(Buffer.compare(gunzipSync(compressed), message)).toBe(0);
      const result = await inflate(compressed);
      expect(result.kind === "message" && Buffer.compare(result.message, message) === 0).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test("a message of just the limit is inflated, one byte more is too much", async () => {
  expect(await inflate(gzipSync(new Uint8Array(100_000)), 100_000)).toMatchObject({ kind: "message" });
  expect(await inflate(gzipSync(new Uint8Array(100_001)), 100_000)).toEqual({ kind: "tooLarge" });
});

test("a bomb is not inflated far beyond the limit", async () => {
  const bomb = gzipSync(new Uint8Array(256 * 1024 * 1024), { level: 9 });
  const before = process.memoryUsage().arrayBuffers;
  expect(await inflate(bomb, 1 << 20)).toEqual({ kind: "tooLarge" });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
});

test("a message that is cut off anywhere is broken", async () => {
  const whole = gzipSync("some text, and some text again");
  for (let length = 0; length < whole.length; length++) {
    expect((await inflate(whole.subarray(0, length))).kind, `${length} bytes`).toBe("broken");
  }
});

test("a message with any damaged octet is broken, or is the same as before", async () => {
  const text = "some text, and some text again";
  const whole = gzipSync(text);
  const outcomes = new Set<string>();
  for (let place = 0; place < whole.length; place++) {
    const damaged = Uint8Array.from(whole);
    damaged[place] = (damaged[place] ?? 0) ^ 0xff;
    const result = await inflate(damaged);
    // Time, system and the like in the header are not covered by the checksum (RFC 1952 2.3).
    outcomes.add(result.kind === "message" ? Buffer.from(result.message).toString() : result.kind);
  }
  expect([...outcomes].sort()).toEqual(["broken", text]);
});

test.each([["text"], ["\0"], ["\x1f"], ["\x1f\x8b"]])("what follows a message (%j) makes it broken", async (garbage) => {
  const result = await inflate(Buffer.concat([gzipSync("a message"), Buffer.from(garbage, "latin1")]));
  expect(result.kind).toBe("broken");
});

test("several members make one message (RFC 1952 2.2), within the same limit", async () => {
  const two = Buffer.concat([gzipSync("one "), gzipSync("two")]);
  const result = await inflate(two);
  expect(result.kind === "message" && Buffer.from(result.message).toString()).toBe("one two");
  expect(await inflate(two, 6)).toEqual({ kind: "tooLarge" });
});

test("results never come from within the call, and those of cancelled jobs never", async () => {
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    gzip.inflate(new Uint8Array(0), 10, () => seen.push("short"));
    gzip.compress(new Uint8Array(5000), () => seen.push("cancelled")).cancel();
    gzip.inflate(gzipSync("x"), 10, () => seen.push("cancelled")).cancel();
    gzip.compress(new Uint8Array(5000), () => resolve());
    seen.push("called");
  });
  expect(seen).toEqual(["called", "short"]);
});
