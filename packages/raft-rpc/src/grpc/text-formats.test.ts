import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { Metadata } from "./metadata.ts";
import { decodePercent, encodePercent } from "./percent.ts";
import { formatTimeout, parseTimeout } from "./timeout.ts";

describe("base64", () => {
  test("is read again, with and without padding", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = encodeBase64(bytes);
        expect(text).toBe(Buffer.from(bytes).toString("base64").replaceAll("=", ""));
        expect(decodeBase64(text)).toEqual(bytes);
        expect(decodeBase64(Buffer.from(bytes).toString("base64"))).toEqual(bytes);
      }),
    );
  });

  test.each(["a", "abcde", "ab!d", "ab=c", "===", "ab\u0100d"])("%j is not base64", (text) => {
    expect(decodeBase64(text)).toBe(null);
  });
});

/** Any code point but lone surrogates, which UTF-8 cannot say. */
const character = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));

describe("grpc-message", () => {
  test("is percent-encoded UTF-8", () => {
    const text = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
    expect(encodePercent(text)).toBe("%09%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and non-BMP %F0%9F%98%88%09%0A");
    expect(decodePercent(encodePercent(text))).toBe(text);
  });

  test("survives any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: character }), (text) => {
        expect(decodePercent(encodePercent(text))).toBe(text);
      }),
    );
  });

  test("keeps broken escapes", () => {
    expect(decodePercent("100%, %G0 and %4")).toBe("100%, %G0 and %4");
  });
});

describe("grpc-timeout", () => {
  test.each([
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["5S", 5000],
    ["99999999m", 99_999_999],
    ["4995050u", 4995.05],
    ["0n", 0],
  ])("%s is %d ms", (text, ms) => {
    expect(parseTimeout(text)).toBeCloseTo(ms, 6);
  });

  test.each(["", "5", "S", "123456789S", "-1S", "1.5S", "5s", " 5S"])("%j is malformed", (text) => {
    expect(parseTimeout(text)).toBe(null);
  });

  test("is rounded up by less than a hundredth", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e12, noNaN: true }), (ms) => {
        const parsed = parseTimeout(formatTimeout(ms)) ?? Number.NaN;
        expect(parsed).toBeGreaterThanOrEqual(ms * (1 - 1e-9));
        expect(parsed).toBeLessThanOrEqual(ms > 1e11 ? ms + 3_600_000 : Math.max(ms * 1.011, ms + 1));
      }),
    );
    expect([formatTimeout(5000), formatTimeout(4999.2), formatTimeout(0.5), formatTimeout(0)]).toEqual(["5000m", "5000m", "500u", "0n"]);
  });
});

describe("Metadata", () => {
  test("keeps several values of a name in order", () => {
    const metadata = Metadata.of({ a: "1" });
    metadata.append("A", "2");
    expect([metadata.get("a"), metadata.getAll("a"), [...metadata]]).toEqual([
      "1",
      ["1", "2"],
      [
        ["a", "1"],
        ["a", "2"],
      ],
    ]);
  });

  test.each<[string, string | Uint8Array]>([
    ["a b", "1"],
    ["", "1"],
    [":path", "/"],
    ["grpc-status", "0"],
    ["te", "x"],
    ["a", "line\nfeed"],
    ["a", " outer"],
    ["a", "ü"],
    ["a", new Uint8Array(1)],
    ["a-bin", "text"],
  ])("refuses %j with %j", (name, value) => {
    expect(() => new Metadata().append(name, value)).toThrow(RangeError);
  });
});
