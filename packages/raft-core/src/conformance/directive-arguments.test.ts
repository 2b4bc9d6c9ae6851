import { describe, expect, test } from "vitest";
import { CommandError } from "./command-error.ts";
import { DirectiveArguments, parseBoolean, parseNumber } from "./directive-arguments.ts";

describe("arguments", () => {
  test.each([
    ["key", [{ key: "key", values: [] }]],
    ["key=", [{ key: "key", values: [""] }]],
    ["key=value", [{ key: "key", values: ["value"] }]],
    ["key=a=b", [{ key: "key", values: ["a=b"] }]],
    ['"key"', [{ key: '"key"', values: [] }]],
    ["key=(1)", [{ key: "key", values: ["1"] }]],
    ["key=(1, 2,  3)", [{ key: "key", values: ["1", "2", "3"] }]],
    ["key=( 1 ,2 )", [{ key: "key", values: [" 1 ", "2 "] }]],
    ["key=(a(b,c),d)", [{ key: "key", values: ["a(b,c)", "d"] }]],
    ["key=()", [{ key: "key", values: [""] }]],
    [
      "key=(1)  key=2",
      [
        { key: "key", values: ["1"] },
        { key: "key", values: ["2"] },
      ],
    ],
  ])("of %s", (text, expected) => {
    expect([...DirectiveArguments.parse(text)]).toEqual(expected);
  });

  test("are found by key, the first of them, and by place", () => {
    const args = DirectiveArguments.parse("7 x=(1,2) 8 x=3 y=");
    expect(args.values("x")).toEqual(["1", "2"]);
    expect(args.value("x")).toBe("1");
    expect(args.value("y")).toBe("");
    expect(args.value("z")).toBeUndefined();
    expect(args.ids()).toEqual([7, 8]);
    expect(args.number(0)).toBe(7);
    expect(() => args.key(5)).toThrow("Argument 6 is missing");
  });
});

describe("values", () => {
  test("are decimal numbers", () => {
    expect(parseNumber("012")).toBe(12);
    for (const text of ["", "-1", "0x1", "1.5", "one"]) expect(() => parseNumber(text)).toThrow(CommandError);
  });

  test("are truth values in twelve spellings", () => {
    for (const text of ["1", "t", "T", "TRUE", "true", "True"]) expect(parseBoolean(text)).toBe(true);
    for (const text of ["0", "f", "F", "FALSE", "false", "False"]) expect(parseBoolean(text)).toBe(false);
    for (const text of ["", "yes", "tRUE"])
      expect(() => parseBoolean(text)).toThrow(`strconv.ParseBool: parsing "${text}": invalid syntax`);
  });
});
