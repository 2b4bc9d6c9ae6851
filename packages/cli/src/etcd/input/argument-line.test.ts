import { expect, test } from "vitest";
import { splitArguments } from "./argument-line.ts";

test.each([
  ["put a b", ["put", "a", "b"]],
  ["  put   a\tb  ", ["put", "a", "b"]],
  ['put "a b" "c \\"d\\""', ["put", "a b", 'c "d"']],
  ["put 'a b' 'c \"d'", ["put", "a b", 'c "d']],
  ['put x "a\\nb\\x41\\u00e4"', ["put", "x", "a\nbA\u00e4"]],
  ['put "" x', ["put", "", "x"]],
  // As in etcdctl: a quote that is never closed is passed over, and a word ends where a quote that began it does.
  ['get "a b', ["get", "a", "b"]],
  ['put x "a"b', ["put", "x", "a", "b"]],
  ['put x a"b"c', ["put", "x", 'a"b"c']],
  ["", []],
])("%j", (line, words) => {
  expect(splitArguments(line)).toEqual(words);
});

test("an escape that does not exist is refused, and bytes that are no text", () => {
  expect(() => splitArguments('put "a\\q" b')).toThrow('"a\\q" has an escape that does not exist at "\\q"');
  expect(() => splitArguments('put "a\\xff" b')).toThrow('"a\\xff" is not UTF-8');
});
