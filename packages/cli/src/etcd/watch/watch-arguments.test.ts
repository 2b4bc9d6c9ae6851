import { expect, test } from "vitest";
import { readWatch } from "./watch-arguments.ts";

const options = { prefix: false, rev: 0, prevKv: false };
const none = { key: undefined, rangeEnd: undefined };

test.each([
  [["a"], null, "a", []],
  [["a", "c"], null, { from: "a", to: "c" }, []],
  [["a", ""], null, "a", []],
  [["a", "echo", "hi"], ["echo", "hi"], "a", ["echo", "hi"]],
  [["a", "c", "echo"], ["echo"], { from: "a", to: "c" }, ["echo"]],
])("%j with %j behind the dashes", (args, afterDashes, keys, command) => {
  expect(readWatch({ args, afterDashes }, options, none)).toEqual({ keys, command, startRevision: 0, prevKv: false });
});

test("without a key the one of the environment is watched", () => {
  const defaults = { key: "k", rangeEnd: "m" };
  expect(readWatch({ args: [], afterDashes: null }, options, defaults).keys).toEqual({ from: "k", to: "m" });
  expect(readWatch({ args: ["echo"], afterDashes: ["echo"] }, options, defaults)).toMatchObject({
    keys: { from: "k", to: "m" },
    command: ["echo"],
  });
  expect(readWatch({ args: ["a"], afterDashes: null }, options, defaults).keys).toBe("a");
});

test("options say what is watched, and from where on", () => {
  const given = { prefix: true, rev: 7, prevKv: true };
  expect(readWatch({ args: ["a"], afterDashes: null }, given, none)).toEqual({
    keys: { prefix: "a" },
    startRevision: 7,
    prevKv: true,
    command: [],
  });
});
