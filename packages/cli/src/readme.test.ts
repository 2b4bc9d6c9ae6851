import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { etcdExitMeanings } from "./etcd/exit-status.ts";
import { exitCodeMeanings } from "./exit-code.ts";

test("the README has the tables of exit statuses as they are", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => [Number(code), meaning]);
  expect(rows).toEqual([...exitCodeMeanings, ...etcdExitMeanings].map(([code, meaning]) => [code, meaning]));
});
