import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConnectionError, ErrorCode } from "../http2/frame.ts";
import { headerListLimits } from "../limits.ts";
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
  return new HpackDecoder(headerListLimits);
}

describe("RFC 7541 Appendix C", () => {
  test("C.2 has one block of each representation", () => {
    const decoder = fresh();
    expect(decode(decoder, hex("400a637573746f6d2d6b65790d637573746f6d2d686561646572"))).toEqual(["custom-key: custom-header"]);
    expect(decoder.tableBytes).toBe(55);
    expect(decode(fresh(), hex("040c2f73616d706c652f70617468"))).toEqual([":path: /sample/path"]);
    const never = fresh();
    expect(decode(never, hex("100870617373776f726406736563726574"))).toEqual(["password: secret"]);
    expect(never.tableEntries()).toEqual([]);
    expect(decode(fresh(), hex("82"))).toEqual([":method: GET"]);
  });

  const requests = [
    [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
    [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
    [":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", "custom-key: custom-value"],
  ];
  test.each([
    [
      "C.3, plain",
      [
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
      ],
    ],
    [
      "C.4, Huffman",
      ["828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf", "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"],
    ],
  ])("%s: three requests on one connection", (_, blocks) => {
    const decoder = fresh();
    for (const [place, block] of blocks.entries()) expect(decode(decoder, hex(block))).toEqual(requests[place]);
    expect(entries(decoder)).toEqual(["custom-key: custom-value", "cache-control: no-cache", ":authority: www.example.com"]);
    expect(decoder.tableBytes).toBe(164);
  });

  const cookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
  const date21 = "Mon, 21 Oct 2013 20:13:21 GMT";
  const date22 = "Mon, 21 Oct 2013 20:13:22 GMT";
  const location = "location: https://www.example.com";
  test.each([
    [
      "C.5, plain",
      [
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "4803333037c1c0bf",
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
      ],
    ],
    [
      "C.6, Huffman",
      [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
      ],
    ],
  ])("%s: three responses with a table of 256 bytes, which evicts", (_, blocks) => {
    const decoder = fresh();
    // The vectors assume a SETTINGS_HEADER_TABLE_SIZE of 256: a size update says the same.
    expect(decode(decoder, hex(`3fe101${blocks[0] ?? ""}`))).toEqual([
      ":status: 302",
      "cache-control: private",
      `date: ${date21}`,
      location,
    ]);
    expect(decoder.tableBytes).toBe(222);
    expect(decode(decoder, hex(blocks[1] ?? ""))).toEqual([":status: 307", "cache-control: private", `date: ${date21}`, location]);
    expect(entries(decoder)).toEqual([":status: 307", location, `date: ${date21}`, "cache-control: private"]);
    expect(decode(decoder, hex(blocks[2] ?? ""))).toEqual([
      ":status: 200",
      "cache-control: private",
      `date: ${date22}`,
      location,
      "content-encoding: gzip",
      `set-cookie: ${cookie}`,
    ]);
    expect(entries(decoder)).toEqual([`set-cookie: ${cookie}`, "content-encoding: gzip", `date: ${date22}`]);
    expect(decoder.tableBytes).toBe(215);
  });
});

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
