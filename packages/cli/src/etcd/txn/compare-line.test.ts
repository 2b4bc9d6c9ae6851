import { compare } from "@raftkv/client";
import { expect, test } from "vitest";
import { jsonText } from "../output/json-text.ts";
import { parseCompare } from "./compare-line.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

test.each([
  ['value("x") = "1"', compare.value(bytes("x"), "=", bytes("1"))],
  ['val("a b") != "c \\"d\\""', compare.value(bytes("a b"), "!=", bytes('c "d"'))],
  ['val("\\xff") < `\\x`', compare.value(Uint8Array.of(0xff), "<", bytes("\\x"))],
  ['ver("x")   >   "3"', compare.version(bytes("x"), ">", 3)],
  ['version("x") = "+3" and more', compare.version(bytes("x"), "=", 3)],
  ['c("x") = "0"', compare.createRevision(bytes("x"), "=", 0)],
  ['create("x") > "-1"', compare.createRevision(bytes("x"), ">", -1)],
  ['m("x") < "7"', compare.modRevision(bytes("x"), "<", 7)],
  ['mod( "x") = "7"', compare.modRevision(bytes("x"), "=", 7)],
  ['lease("x") = "694d8e9e05c5216f"', compare.lease(bytes("x"), "=", 0x694d8e9e05c5216fn)],
])("%s", (line, condition) => {
  expect(jsonText({ ...parseCompare(line) })).toBe(jsonText({ ...condition }));
});

test.each([
  ["", 'malformed comparison:  (give one like value("key") = "text" or ver("key") > "0")'],
  ["value", "malformed comparison: value (give one like"],
  ['ver(x) > "0"', "malformed comparison: ver(x)"],
  ['value("x")= "2"', 'malformed comparison: value("x")= "2"'],
  ['value("x" ) = "2"', "malformed comparison"],
  ['value("x") = 2', "malformed comparison"],
  ['foo("x") > "0"', 'malformed comparison: foo("x") > "0" (unknown target foo)'],
  ['VALUE("x") > "0"', "unknown target VALUE"],
  ['ver("x") >= "0"', "unknown operator >="],
  ['ver("x") > "q"', 'invalid txn compare request: ver("x") > "q"'],
  ['mod("x") > "9223372036854775808"', "invalid txn compare request"],
  ['lease("x") > "zz"', "invalid txn compare request"],
])("%s is refused", (line, message) => {
  expect(() => parseCompare(line)).toThrow(expect.objectContaining({ exitStatus: 3, message: expect.stringContaining(message) }));
});
