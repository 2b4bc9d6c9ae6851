import { describe, expect, test } from "vitest";
import { HpackDecoder } from "../hpack/decoder.ts";
import { HeaderBlockBuilder } from "../hpack/encoder.ts";
import { HeaderList } from "../hpack/header-list.ts";
import { huffmanEncode } from "../hpack/huffman.ts";
import { latin1Bytes } from "../hpack/latin1.ts";
import { ErrorCode } from "../http2/frame.ts";
import { defaultLimits } from "../limits.ts";
import { ascii, hex } from "../testing/raw-peer.ts";

function fresh(): HpackDecoder {
  return new HpackDecoder(defaultLimits);
}

function decode(decoder: HpackDecoder, block: Uint8Array): string[] {
  const list = new HeaderList();
  decoder.decode(block, 0, block.length, list);
  return Array.from({ length: list.count }, (_, place) => `${list.name(place)}: ${list.value(place)}`);
}

/** Newest first, and the size as the RFC counts it. */
function table(decoder: HpackDecoder): readonly [string[], number] {
  return [decoder.tableEntries().map(([name, value]) => `${name}: ${value}`), decoder.tableBytes];
}

function text(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

function encode(...fields: readonly (readonly [string, string])[]): string {
  const builder = new HeaderBlockBuilder();
  for (const [name, value] of fields) builder.field(name, value);
  return text(builder.build());
}

interface Exchange {
  readonly block: string;
  readonly fields: readonly string[];
  readonly entries: readonly string[];
  readonly bytes: number;
}

const authority = ":authority: www.example.com";
const requests: readonly Omit<Exchange, "block">[] = [
  { fields: [":method: GET", ":scheme: http", ":path: /", authority], entries: [authority], bytes: 57 },
  {
    fields: [":method: GET", ":scheme: http", ":path: /", authority, "cache-control: no-cache"],
    entries: ["cache-control: no-cache", authority],
    bytes: 110,
  },
  {
    fields: [":method: GET", ":scheme: https", ":path: /index.html", authority, "custom-key: custom-value"],
    entries: ["custom-key: custom-value", "cache-control: no-cache", authority],
    bytes: 164,
  },
];

const cacheControl = "cache-control: private";
const date21 = "date: Mon, 21 Oct 2013 20:13:21 GMT";
const date22 = "date: Mon, 21 Oct 2013 20:13:22 GMT";
const location = "location: https://www.example.com";
const cookie = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
const responses: readonly Omit<Exchange, "block">[] = [
  { fields: [":status: 302", cacheControl, date21, location], entries: [location, date21, cacheControl, ":status: 302"], bytes: 222 },
  { fields: [":status: 307", cacheControl, date21, location], entries: [":status: 307", location, date21, cacheControl], bytes: 222 },
  {
    fields: [":status: 200", cacheControl, date22, location, "content-encoding: gzip", cookie],
    entries: [cookie, "content-encoding: gzip", date22],
    bytes: 215,
  },
];

describe("Appendix C, decoded", () => {
  test("C.1: integers in prefixes of 5 bits, as sizes of the table", () => {
    // C.1.1 is 10: no entry is that small. C.1.2 is 1337: an entry of 1337 octets stays, one of 1338 does not.
    const small = fresh();
    decode(small, hex("2a 4001780179"));
    expect(table(small)).toEqual([[], 0]);
    for (const [valueBytes, kept] of [
      [1337 - 33, 1],
      [1338 - 33, 0],
    ] as const) {
      const decoder = fresh();
      decode(
        decoder,
        Uint8Array.of(...hex("3f9a0a 400178 7f"), ((valueBytes - 127) & 127) | 128, (valueBytes - 127) >> 7, ...new Uint8Array(valueBytes)),
      );
      expect(decoder.tableEntries().length).toBe(kept);
    }
  });

  test.each<[string, string, string, readonly string[], number]>([
    ["C.2.1", "400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header", ["custom-key: custom-header"], 55],
    ["C.2.2", "040c2f73616d706c652f70617468", ":path: /sample/path", [], 0],
    ["C.2.3", "100870617373776f726406736563726574", "password: secret", [], 0],
    ["C.2.4", "82", ":method: GET", [], 0],
  ])("%s: one field", (_, block, field, entries, bytes) => {
    const decoder = fresh();
    expect(decode(decoder, hex(block))).toEqual([field]);
    expect(table(decoder)).toEqual([entries, bytes]);
  });

  test.each<[string, readonly Omit<Exchange, "block">[], string, readonly string[]]>([
    [
      "C.3: requests",
      requests,
      "",
      [
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
      ],
    ],
    [
      "C.4: requests in Huffman code",
      requests,
      "",
      ["828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf", "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"],
    ],
    [
      "C.5: responses, with a table of 256 octets",
      responses,
      "3fe101",
      [
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "4803333037c1c0bf",
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
      ],
    ],
    [
      "C.6: responses in Huffman code, with a table of 256 octets",
      responses,
      "3fe101",
      [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
      ],
    ],
  ])("%s: fields and table after each block", (_, exchanges, sizeUpdate, blocks) => {
    const decoder = fresh();
    for (const [place, { fields, entries, bytes }] of exchanges.entries()) {
      // The setting of 256 that C.5 and C.6 assume is said by a size update.
      expect(decode(decoder, hex(`${place === 0 ? sizeUpdate : ""}${blocks[place]}`))).toEqual(fields);
      expect(table(decoder)).toEqual([entries, bytes]);
    }
  });
});

describe("Appendix C, encoded: our blocks never touch a table, so `01` of the RFC is `00` here", () => {
  test("C.2.4 and the indexed fields of C.3 and C.4 are the same octets", () => {
    expect(encode([":method", "GET"])).toBe("82");
    expect(encode([":method", "GET"], [":scheme", "http"], [":path", "/"])).toBe("828684");
    expect(encode([":method", "GET"], [":scheme", "https"], [":path", "/index.html"])).toBe("828785");
    expect(encode([":status", "200"])).toBe("88");
  });

  test("C.4 and C.6 differ in the first octet of each literal", () => {
    expect(encode([":authority", "www.example.com"])).toBe("018cf1e3c2e5f23a6ba0ab90f4ff");
    expect(encode(["cache-control", "no-cache"])).toBe("0f0986a8eb10649cbf");
    expect(encode(["custom-key", "custom-value"])).toBe("008825a849e95ba97d7f8925a849e95bb8e8b4bf");
    expect(encode([":status", "302"], ["cache-control", "private"])).toBe("08826402" + "0f0985aec3771a4b");
    expect(encode(["location", "https://www.example.com"])).toBe("0f1f919d29ad171863c78f0b97c8e9ae82ae43d3");
  });

  test.each([
    ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
    ["no-cache", "a8eb10649cbf"],
    ["custom-key", "25a849e95ba97d7f"],
    ["custom-value", "25a849e95bb8e8b4bf"],
    ["302", "6402"],
    ["307", "640eff"],
    ["private", "aec3771a4b"],
    ["Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"],
    ["Mon, 21 Oct 2013 20:13:22 GMT", "d07abe941054d444a8200595040b8166e084a62d1bff"],
    ["https://www.example.com", "9d29ad171863c78f0b97c8e9ae82ae43d3"],
    ["gzip", "9bd9ab"],
    [
      "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
      "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ],
  ])("%s has its Huffman code", (plain, code) => {
    expect(text(huffmanEncode(plain))).toBe(code);
  });

  test("a string that Huffman code would lengthen stays plain", () => {
    expect(encode(["x", "\x01\x02"])).toBe("000178020102");
  });

  test("credentials are never indexed, whoever forwards them (7.1.3)", () => {
    expect([encode(["authorization", "a"]), encode(["cookie", "a"]), encode(["token", "a"])].map((block) => block.slice(0, 1))).toEqual([
      "1",
      "1",
      "1",
    ]);
    expect(decode(fresh(), hex(encode(["authorization", "Bearer x"])))).toEqual(["authorization: Bearer x"]);
  });
});

describe("the table (2.3, 4)", () => {
  test("62 is the newest entry, and the oldest are evicted when there is no room", () => {
    const decoder = fresh();
    // Entries of 34 octets: 120 of them fit into 4,096.
    for (let count = 0; count < 200; count++) decode(decoder, Uint8Array.of(0x40, 1, 0x61, 1, count));
    expect([decoder.tableEntries().length, decoder.tableBytes]).toEqual([120, 4080]);
    expect(decode(decoder, hex("be"))).toEqual([`a: ${String.fromCharCode(199)}`]);
    // 62 + 119, the oldest: 181 = 127 + 54.
    expect(decode(decoder, hex("ff36"))).toEqual([`a: ${String.fromCharCode(80)}`]);
    expect(() => decode(decoder, hex("ff37"))).toThrow(expect.objectContaining({ code: ErrorCode.COMPRESSION_ERROR }));
  });

  test("the same field may stand in it twice", () => {
    const decoder = fresh();
    decode(decoder, hex("4001780179 4001780179"));
    expect(table(decoder)).toEqual([["x: y", "x: y"], 68]);
  });

  test("a size update evicts at once, and a second one raises the size without bringing back what went", () => {
    const decoder = fresh();
    decode(decoder, hex("4001610131 4001610132 4001610133"));
    decode(decoder, hex("3f25 3fe11f"));
    expect(table(decoder)).toEqual([["a: 3", "a: 2"], 68]);
    decode(decoder, hex("20 3fe11f"));
    expect(table(decoder)).toEqual([[], 0]);
    decode(decoder, hex("4001610134"));
    expect(table(decoder)).toEqual([["a: 4"], 34]);
  });

  test("an entry as large as the table stays alone, one that is larger empties it and is a field all the same", () => {
    const decoder = fresh();
    decode(decoder, hex("3f03 4001610131"));
    expect(table(decoder)).toEqual([["a: 1"], 34]);
    expect(decode(decoder, hex("400161023232"))).toEqual(["a: 22"]);
    expect(table(decoder)).toEqual([[], 0]);
  });

  test("with a table of size 0 nothing is kept, and literals still decode", () => {
    const decoder = fresh();
    expect(decode(decoder, hex("20 4001780179 4101 61"))).toEqual(["x: y", ":authority: a"]);
    expect(table(decoder)).toEqual([[], 0]);
  });

  test("literals without indexing and never indexed leave it alone", () => {
    const decoder = fresh();
    decode(decoder, hex("0001780179 1001780179 0f1001 61"));
    expect(table(decoder)).toEqual([[], 0]);
  });

  test("the largest allowed size is the one that was advertised", () => {
    expect(decode(fresh(), hex("3fe11f 82"))).toEqual([":method: GET"]);
    expect(() => decode(fresh(), hex("3fe21f 82"))).toThrow(expect.objectContaining({ code: ErrorCode.COMPRESSION_ERROR }));
  });
});

describe("integers and strings (5)", () => {
  test.each([
    ["a value that just fills the prefix", "3f00 82", ":method: GET"],
    ["a value with zeros behind it", "3f8000 82", ":method: GET"],
    ["an empty string", "000178 00", "x: "],
    ["an empty string in Huffman code", "000178 80", "x: "],
  ])("%s is right", (_, block, field) => {
    expect(decode(fresh(), hex(block))).toEqual([field]);
  });

  test.each([
    ["all five octets in use, far above the tables", "ffffffffff0f"],
    ["zeros without end", "ff808080808080808000"],
    ["zeros without end, and a field behind five of them", "ff8080808080 82"],
    ["a value that would be small after 32 bits", "ff81ffffff0f"],
    ["a string length of 2^32", "0f10 7f81ffffff0f"],
    ["a Huffman length above the block", "0001 78 ff"],
    ["Huffman padding with a zero in it", "000178 81fe"],
    ["a Huffman string that is padding alone", "000178 81ff"],
    ["EOS behind a letter", "000178 851fffffffff"],
    ["EOS before a letter", "000178 85fffffffc1f"],
    ["a literal without a value", "000178"],
    ["a literal without anything", "00"],
  ])("%s is a COMPRESSION_ERROR", (_, block) => {
    expect(() => decode(fresh(), hex(block))).toThrow(expect.objectContaining({ code: ErrorCode.COMPRESSION_ERROR }));
  });

  test("a block that is cut is judged by itself, whatever stands behind it in the chunk", () => {
    const block = hex("3fe11f 828684 410f7777772e6578616d706c652e636f6d 0f0986a8eb10649cbf ff8000 7f0001780179");
    const outcome = (octets: Uint8Array, end: number): string => {
      const list = new HeaderList();
      try {
        fresh().decode(octets, 0, end, list);
      } catch (error) {
        return (error as Error).message;
      }
      return list.names.join();
    };
    for (let end = 0; end < block.length; end++) expect(outcome(block, end)).toBe(outcome(block.slice(0, end), end));
  });

  test("padding of 1 to 7 ones is right, whatever the letter before it", () => {
    for (const letters of ["0", "00", "000", "0000", "00000", "000000", "0000000", "a&", "\xff", "~|"]) {
      const code = huffmanEncode(letters);
      expect(decode(fresh(), Uint8Array.of(0, 1, 0x78, 0x80 | code.length, ...code))).toEqual([`x: ${letters}`]);
    }
  });

  test("strings of every length around the prefix's limits", () => {
    for (const length of [0, 1, 126, 127, 128, 254, 255, 256, 4096, 8000]) {
      const value = "\x01".repeat(length);
      const block = hex(encode(["x", value]));
      expect(decode(fresh(), block)).toEqual([`x: ${value}`]);
      expect(latin1Bytes(value)).toEqual(block.slice(block.length - length));
      expect(ascii(value).length).toBe(length);
    }
  });
});
