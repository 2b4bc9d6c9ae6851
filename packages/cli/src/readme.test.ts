import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { exitCodeMeanings } from "./exit-code.ts";

test("the README has the table of exit statuses as it is", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => [Number(code), meaning]);
  expect(rows).toEqual(exitCodeMeanings.map(([code, meaning]) => [code, meaning]));
});
