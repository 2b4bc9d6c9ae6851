import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonNestingMax, parseJson, readJsonValue } from "./json-parser.ts";
import { JsonError, JsonNumber, type JsonValue } from "./json-value.ts";

/** As JSON.parse has it; only numbers that it can hold. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.literal);
  if (value instanceof Map) return Object.fromEntries(Array.from(value, ([name, member]) => [name, plain(member)]));
  if (Array.isArray(value)) return value.map(plain);
  return value;
}

test("reads what JSON.parse reads, however it is spaced", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 2, "\t\r\n"), (value, space) => {
      // A member of this name is no member to Object.fromEntries.
      fc.pre(!JSON.stringify(value).includes("__proto__"));
      const text = JSON.stringify(value, null, space);
      expect(plain(parseJson(text))).toEqual(JSON.parse(text));
    }),
  );
});

test("refuses what JSON.parse refuses", () => {
  const accepts = (parse: () => unknown): boolean => {
    try {
      parse();
      return true;
    } catch {
      return false;
    }
  };
  const piece = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    '"',
    ":",
    ",",
    "\\",
    "u00e9",
    "a",
    "1",
    "0",
    "-",
    ".",
    "e",
    "+",
    "true",
    "null",
    " ",
    "\n",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join("");
      expect(accepts(() => parseJson(text))).toBe(accepts(() => JSON.parse(text)));
    }),
    { numRuns: 2_000 },
  );
});

test("keeps numbers as they stand", () => {
  expect(parseJson("[1234567890123456789, -0, 1.50, 1E+2]")).toEqual(
    ["1234567890123456789", "-0", "1.50", "1E+2"].map((literal) => new JsonNumber(literal)),
  );
});

test("of a name that stands twice it takes the last", () => {
  expect(parseJson('{"a":true,"a":false}')).toEqual(new Map([["a", false]]));
});

test("a reader of the first value leaves the rest alone", () => {
  expect(readJsonValue(' {"a":null} garbage')).toEqual(new Map([["a", null]]));
  expect(() => parseJson("null x")).toThrow("invalid character 'x' after top-level value");
});

describe("the errors are worded as etcd's clients know them", () => {
  test.each<[string, string]>([
    ["", "unexpected EOF"],
    ["{", "unexpected EOF"],
    ['{"key":"Zm9v"', "unexpected EOF"],
    ["tru", "unexpected EOF"],
    ["bad", "invalid character 'b' looking for beginning of value"],
    ["}", "invalid character '}' looking for beginning of value"],
    ['{"a":}', "invalid character '}' looking for beginning of value"],
    ["trux", "invalid character 'x' in literal true (expecting 'e')"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" "b"}', "invalid character '\"' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ['{"a":01}', "invalid character '1' after object key:value pair"],
    ["[1 2]", "invalid character '2' after array element"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12"', "invalid character '\"' in \\u hexadecimal character escape"],
    ['{"a":-}', "invalid character '}' in numeric literal"],
    ["1.x", "invalid character 'x' after decimal point in numeric literal"],
    ["1ex", "invalid character 'x' in exponent of numeric literal"],
  ])("%j: %s", (text, sentence) => {
    expect(() => readJsonValue(text)).toThrow(new JsonError(sentence));
  });
});

test("nesting has a limit", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
  expect(parseJson(nested(jsonNestingMax))).toBeInstanceOf(Array);
  expect(() => parseJson(nested(jsonNestingMax + 1))).toThrow("invalid character '[' exceeded max depth");
});
