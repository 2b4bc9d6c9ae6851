import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readLogTail } from "./log-tail.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "raftkv-log-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

function tailOf(text: string): readonly string[] {
  const path = join(directory, "n1.log");
  writeFileSync(path, text);
  return readLogTail(path, 2);
}

test("the last lines are read", () => {
  expect(tailOf("one\ntwo\nthree\n")).toEqual(["two", "three"]);
  expect(tailOf("one")).toEqual(["one"]);
});

test("nothing is read from an empty or missing file", () => {
  expect(tailOf("")).toEqual([]);
  expect(readLogTail(join(directory, "none"), 2)).toEqual([]);
});

test("of a long file only whole lines near its end are read", () => {
  expect(tailOf(`${"x".repeat(9000)}\nlast\n`)).toEqual(["last"]);
  expect(tailOf(`first\n${"line\n".repeat(10_000)}end\n`)).toEqual(["line", "end"]);
});
