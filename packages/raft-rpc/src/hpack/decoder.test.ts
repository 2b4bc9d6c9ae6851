import fc from "fast-check";
import { expect, test } from "vitest";
import { ConnectionError, ErrorCode } from "../http2/frame.ts";
import { defaultLimits } from "../limits.ts";
import { ascii, hex } from "../testing/raw-peer.ts";
import { HpackDecoder } from "./decoder.ts";
import { HeaderBlockBuilder } from "./encoder.ts";
import { HeaderList } from "./header-list.ts";

function decode(decoder: HpackDecoder, block: Uint8Array): string[] {
  const list = new HeaderList();
  decoder.decode(block, 0, block.length, list);
  return Array.from({ length: list.count }, (_, place) => `${list.name(place)}: ${list.value(place)}`);
}

function entries(decoder: HpackDecoder): string[] {
  return decoder.tableEntries().map(([name, value]) => `${name}: ${value}`);
}

function fresh(): HpackDecoder {
  return new HpackDecoder(defaultLimits);
}

test.each([
  ["index 0", "80"],
  ["an index above the tables", "be"],
  ["a literal whose name index is above the tables", "7f1001 61"],
  ["a table size above what was advertised", "3fe21f"],
  ["a size update behind a field", "8220"],
  ["three size updates", "202020"],
  ["an integer that is cut off", "ff"],
  ["an integer of too many octets", "ffffffffffffffff01"],
  ["an integer above 2^24", "ffffffff7f"],
  ["a string longer than the block", "400a6162"],
  ["a string without a length", "40"],
  ["Huffman padding of 8 bits", "0082 1fff 0161"],
  ["Huffman padding of zeros", "0081 18 0161"],
  ["EOS inside a string", "0084ffffffff 0161"],
])("%s is a COMPRESSION_ERROR", (_, block) => {
  expect(() => decode(fresh(), hex(block))).toThrow(expect.objectContaining({ code: ErrorCode.COMPRESSION_ERROR }));
});

test("an entry larger than the table empties it and is no error", () => {
  const decoder = fresh();
  decode(decoder, hex("400161016140016201 62".replaceAll(" ", "")));
  expect(entries(decoder)).toEqual(["b: b", "a: a"]);
  expect(decode(decoder, Uint8Array.of(0x40, 1, 0x63, 0x7f, 0xa1, 0x1f, ...new Uint8Array(4128).fill(0x78)))[0]?.length).toBe(4128 + 3);
  expect(entries(decoder)).toEqual([]);
});

test("a name that its own insertion evicts is read before", () => {
  const decoder = fresh();
  const long = "n".repeat(2000);
  decode(decoder, Uint8Array.of(0x40, 0x7f, 0xd1, 0x0e, ...ascii(long), 1, 0x61));
  expect(entries(decoder)).toEqual([`${long}: a`]);
  const value = "v".repeat(2060);
  expect(decode(decoder, Uint8Array.of(0x7e, 0x7f, 0x8d, 0x0f, ...ascii(value)))).toEqual([`${long}: ${value}`]);
  expect(decoder.tableEntries().length).toBe(1);
});

test("a bomb of references to one large entry is left out at 16 KiB and ends the connection at 64 KiB", () => {
  const decoder = fresh();
  const list = new HeaderList();
  const entry = Uint8Array.of(0x40, 1, 0x62, 0x7f, 0xa1, 0x1e, ...new Uint8Array(4000).fill(0x78));
  const references = (count: number): Uint8Array => Uint8Array.of(...entry, ...new Uint8Array(count).fill(0xbe));
  decoder.decode(references(5), 0, entry.length + 5, list);
  expect([list.tooLarge, list.count]).toEqual([true, 4]);
  expect(() => decode(decoder, references(20))).toThrow(expect.objectContaining({ code: ErrorCode.ENHANCE_YOUR_CALM }));
});

test("more than 100 fields are left out", () => {
  const list = new HeaderList();
  fresh().decode(new Uint8Array(101).fill(0x82), 0, 101, list);
  expect([list.tooLarge, list.count]).toEqual([true, 100]);
});

const field = fc.tuple(
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 40 }),
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 300 }),
);

test("what the encoder writes, the decoder reads", () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
      const builder = new HeaderBlockBuilder();
      for (const [name, value] of fields) builder.field(name, value);
      expect(decode(fresh(), builder.build())).toEqual(fields.map(([name, value]) => `${name}: ${value}`));
    }),
  );
});

function outcomeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (!(error instanceof ConnectionError)) return String(error);
  }
  return "fields or ConnectionError";
}

test("random octets give fields or our error, and cut blocks too", () => {
  const decoder = fresh();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (block) => {
      expect(outcomeOf(() => decode(decoder, block))).toBe("fields or ConnectionError");
      expect(decoder.tableBytes).toBeLessThanOrEqual(4096);
    }),
    { numRuns: 2000 },
  );
});
