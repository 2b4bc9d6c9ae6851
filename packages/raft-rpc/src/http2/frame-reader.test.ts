import fc from "fast-check";
import { expect, test } from "vitest";
import { frameBytes } from "../testing/raw-peer.ts";
import { ErrorCode } from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";

function reader(seen: string[], stopAfter = Number.POSITIVE_INFINITY): FrameReader {
  const sink = {
    frame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): boolean {
      seen.push(`${type} ${flags} ${streamId} ${bytes.slice(start, end).join()}`);
      return seen.length < stopAfter;
    },
  };
  return new FrameReader(sink, 16_384);
}

const frame = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  flags: fc.integer({ min: 0, max: 255 }),
  streamId: fc.integer({ min: 0, max: 0x7fffffff }),
  payload: fc.uint8Array({ maxLength: 60 }),
});

test("frames are the same however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (frames, cuts) => {
      const bytes = frames.flatMap(({ type, flags, streamId, payload }) => [...frameBytes(type, flags, streamId, payload)]);
      const seen: string[] = [];
      const cut = reader(seen);
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const next = at + (cuts[turn % cuts.length] ?? 1);
        cut.read(Uint8Array.from(bytes.slice(at, next)), 0);
        at = next;
      }
      expect(seen).toEqual(frames.map(({ type, flags, streamId, payload }) => `${type} ${flags} ${streamId} ${payload.join()}`));
      expect(cut.retainedBytes).toBe(0);
    }),
  );
});

test("the reserved bit of the stream id is ignored", () => {
  const seen: string[] = [];
  reader(seen).read(frameBytes(6, 0, 0x80000000 + 5, []), 0);
  expect(seen).toEqual(["6 0 5 "]);
});

test("a length above the maximum is refused as soon as the header is there", () => {
  const header = frameBytes(0, 0, 1, new Uint8Array(16_385)).subarray(0, 9);
  expect(() => reader([]).read(header, 0)).toThrow(expect.objectContaining({ code: ErrorCode.FRAME_SIZE_ERROR }));
  const byteByByte = reader([]);
  expect(() => {
    for (const octet of header) byteByByte.read(Uint8Array.of(octet), 0);
  }).toThrow(expect.objectContaining({ code: ErrorCode.FRAME_SIZE_ERROR }));
});

test("a sink that returns false ends the reading behind its frame, whole or cut, and it can go on from there", () => {
  const seen: string[] = [];
  const stopping = reader(seen, 0);
  const ping = frameBytes(6, 0, 0, [1]);
  const chunk = Uint8Array.of(...ping, ...ping, ...ping.slice(0, 4));
  expect([stopping.read(chunk, 0), stopping.read(chunk, 10), stopping.read(chunk, 20)]).toEqual([10, 20, 24]);
  const rest = Uint8Array.of(...ping.slice(4), ...ping);
  expect([stopping.read(rest, 0), stopping.read(rest, 6)]).toEqual([6, 16]);
  expect(seen.length).toBe(4);
});

test("a whole frame is a view of the chunk, not a copy", () => {
  const chunk = frameBytes(0, 0, 1, [1, 2, 3]);
  let given: Uint8Array | null = null;
  new FrameReader({ frame: (_type, _flags, _id, bytes) => ((given = bytes), true) }, 16_384).read(chunk, 0);
  expect(given).toBe(chunk);
});
