import { describe, expect, test } from "vitest";
import { HeaderBlockBuilder } from "../../hpack/encoder.ts";
import { Flag, FrameType } from "../../http2/frame.ts";
import { defaultLimits, pathBytesMax } from "../../limits.ts";
import { ascii, frameBytes, grpcRequestFields, headerBlock, type RawPeer } from "../../testing/raw-peer.ts";
import { startServer } from "../../testing/server-fixture.ts";
import { clientOpening, echoPath, joined } from "./frame-floods.ts";
import { grownBytes, printGrowth } from "./memory-growth.ts";

const { HEADERS, CONTINUATION } = FrameType;
const requestBlock = headerBlock(grpcRequestFields(echoPath));
const growthBytesMax = 8 * 1024 * 1024;
const frameBytesMax = 16_384;

/** RFC 7541 5.1. */
function integer(prefixBits: number, pattern: number, value: number): number[] {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) return [pattern | value];
  const octets = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) | 128);
  return [...octets, rest];
}

/** A literal that goes into the table: one name of `valueBytes` bytes of value. */
function inserted(name: string, valueBytes: number): Uint8Array {
  const head = [0x40, ...integer(7, 0, name.length), ...ascii(name), ...integer(7, 0, valueBytes)];
  return joined(Uint8Array.from(head), new Uint8Array(valueBytes).fill(0x61));
}

/** A whole header block in as many frames as it needs. */
function blockFrames(streamId: number, block: Uint8Array): Uint8Array {
  const first = frameBytes(HEADERS, block.length <= frameBytesMax ? Flag.END_HEADERS : 0, streamId, block.subarray(0, frameBytesMax));
  const pieces = [first];
  for (let at = frameBytesMax; at < block.length; at += frameBytesMax) {
    const isLast = at + frameBytesMax >= block.length;
    pieces.push(frameBytes(CONTINUATION, isLast ? Flag.END_HEADERS : 0, streamId, block.subarray(at, at + frameBytesMax)));
  }
  return joined(...pieces);
}

/** What the server made of request 1, and whether it serves on. */
function outcome(send: (attacker: RawPeer) => void): string {
  const fixture = startServer();
  const attacker = fixture.peer();
  attacker.send(clientOpening());
  send(attacker);
  fixture.clock.settle();
  if (attacker.goaway !== null) return attacker.closed ? `connection ${attacker.goaway}` : "GOAWAY without closing";
  const reset = attacker.reset(1);
  attacker.send(...attacker.unary(10_001, echoPath, ascii("probe")));
  fixture.clock.settle();
  if (attacker.status(10_001) !== "0") return "no service";
  const status = attacker.status(1);
  if (reset !== null && reset !== "NO_ERROR") return `stream ${reset}`;
  return status === null ? "accepted" : `grpc-status ${status}`;
}

/** A request with these fields behind those it needs. */
function request(...more: readonly Uint8Array[]): Uint8Array {
  return blockFrames(1, joined(requestBlock, ...more));
}

function indexed(index: number, times: number): Uint8Array {
  return new Uint8Array(times).fill(0x80 | index);
}

const newestEntry = 62;

describe("header blocks that are larger than they look", () => {
  test.each<[string, Uint8Array, string]>([
    [
      "a bomb of short indexes to an entry as large as the table (CVE-2016-6581)",
      request(inserted("x", 4000), indexed(newestEntry, 16_000 - 4300)),
      "connection ENHANCE_YOUR_CALM",
    ],
    ["as many references as stay below the hard limit", request(inserted("x", 4000), indexed(newestEntry, 10)), "grpc-status 8"],
    ["a bomb of the static table", request(indexed(2, 15_000)), "connection ENHANCE_YOUR_CALM"],
    ["more fields than are allowed", request(indexed(16, defaultLimits.headerFieldsMax)), "grpc-status 8"],
    [
      "an entry larger than the table, which empties it",
      request(inserted("x", 5000), Uint8Array.of(0x80 | newestEntry)),
      "connection COMPRESSION_ERROR",
    ],
    [
      "a string that ends behind the block",
      request(Uint8Array.from([0, ...integer(7, 0, 1), 0x78, ...integer(7, 0, 100)])),
      "connection COMPRESSION_ERROR",
    ],
    ["an integer of many octets", request(Uint8Array.of(0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0)), "connection COMPRESSION_ERROR"],
    [
      "three sizes of the table",
      joined(blockFrames(1, joined(Uint8Array.of(0x20, 0x3f, 0xe1, 0x1f, 0x20), requestBlock))),
      "connection COMPRESSION_ERROR",
    ],
    [
      "a size of the table above what was announced",
      blockFrames(1, joined(Uint8Array.from(integer(5, 0x20, 4097)), requestBlock)),
      "connection COMPRESSION_ERROR",
    ],
    ["a name of 15,000 octets", request(inserted("n".repeat(15_000), 0)), "accepted"],
    [
      "a block above the limit",
      blockFrames(1, joined(requestBlock, new Uint8Array(defaultLimits.headerBlockBytesMax).fill(0x90))),
      "connection ENHANCE_YOUR_CALM",
    ],
    ["a Huffman string that grows by three fifths", request(huffmanField(10_500)), "grpc-status 8"],
  ])("%s", (_, frames, expected) => {
    const { result, bytes } = grownBytes(() => outcome((attacker) => attacker.send(frames)));
    expect(result).toBe(expected);
    expect(bytes).toBeLessThan(growthBytesMax);
  });

  /** `x: 000…`, whose letters have 5 bits each. */
  function huffmanField(octets: number): Uint8Array {
    return joined(Uint8Array.from([0, 1, 0x78, ...integer(7, 0x80, octets)]), new Uint8Array(octets));
  }
});

test("a table that changes with every request is decoded, and holds no more than its size", () => {
  const { clock, peer, server } = startServer();
  const attacker = peer();
  attacker.send(clientOpening());
  // Held, they would be 40 MB: far above what other files of the same process make of the measurement.
  const requests = 10_000;
  const { bytes } = grownBytes(() => {
    for (let count = 0; count < requests; count++) {
      const builder = new HeaderBlockBuilder();
      for (const [name, value] of grpcRequestFields(echoPath)) builder.field(name, value);
      const block = joined(
        Uint8Array.of(0x20, 0x3f, 0xe1, 0x1f),
        builder.build(),
        inserted(`a${count}`, 2000),
        inserted(`b${count}`, 2000),
      );
      attacker.send(blockFrames(1 + 2 * count, block), attacker.data(1 + 2 * count, new Uint8Array(5), Flag.END_STREAM));
      clock.settle();
      attacker.frames.length = 0;
    }
  });
  expect([server.counters.callsByStatus[0], attacker.goaway]).toEqual([requests, null]);
  expect(bytes).toBeLessThan(2 * growthBytesMax);
  printGrowth("10,000 requests that change the whole table", bytes);
});

describe("what a request says of itself", () => {
  test.each<[string, (readonly [string, string])[], string]>([
    ["a path above its limit", [[":path", `/${"p".repeat(pathBytesMax)}`]], "grpc-status 8"],
    ["a timeout of more than 8 digits", [["grpc-timeout", "123456789S"]], "grpc-status 13"],
    ["metadata of bytes that is no base64", [["k-bin", "!"]], "grpc-status 13"],
    ["an encoding that nobody knows", [["grpc-encoding", "x".repeat(10_000)]], "grpc-status 12"],
    ["a name with a line end", [["a\nb", "c"]], "stream PROTOCOL_ERROR"],
    ["a value with a NUL", [["a", "b\0c"]], "stream PROTOCOL_ERROR"],
  ])("%s", (_, fields, expected) => {
    const replaced = new Set(fields.map(([name]) => name));
    const all = grpcRequestFields(echoPath).filter(([name]) => !replaced.has(name) || !name.startsWith(":"));
    const pseudo = fields.filter(([name]) => name.startsWith(":"));
    const block = headerBlock([...pseudo, ...all, ...fields.filter(([name]) => !name.startsWith(":"))]);
    expect(outcome((attacker) => attacker.send(blockFrames(1, block)))).toBe(expected);
  });
});
