import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { defaultLimits } from "./limits.ts";
import { defaultConnectionLimits } from "./server/connection-admission.ts";
import { LimitCounters } from "./server/limit-counters.ts";

/** A program and what it prints: a block of TypeScript, and the block of text that follows it at once. */
const examplePattern = /```ts\n(?<program>.*?)```\n```text\n(?<output>.*?)```/gs;

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const readme = readFileSync(path("../README.md"), "utf8");
const examples = [...readme.matchAll(examplePattern)].map(({ groups }) => ({
  program: groups?.["program"] ?? "",
  output: groups?.["output"] ?? "",
}));
let directory = "";

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "raft-rpc-readme-"));
});

afterAll(() => rmSync(directory, { recursive: true }));

/** Runs a program with this package, and returns what it prints. */
async function run(program: string, name: string): Promise<string> {
  const outfile = join(directory, `${name}.mjs`);
  await build({
    stdin: { contents: program, loader: "ts", resolveDir: path(".") },
    alias: { "@raftkv/raft-rpc": path("./index.ts") },
    banner: { js: "export const lines = []; const print = (line) => lines.push(String(line));" },
    define: { "console.log": "print" },
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "silent",
    outfile,
  });
  const { lines } = (await import(pathToFileURL(outfile).href)) as { readonly lines: readonly string[] };
  return lines.map((line) => `${line}\n`).join("");
}

test("the README has examples", () => {
  expect(examples.length).toBeGreaterThanOrEqual(4);
});

test.each(examples.map((example, place) => ({ ...example, place: place + 1 })))(
  "example $place of the README prints what stands below it",
  async (example) => {
    expect(await run(example.program, `example-${example.place}`)).toBe(example.output);
  },
);

test("the README names every limit and every counter of one", () => {
  // Refusing calls is what an interceptor is for; it is no limit.
  const names = [defaultLimits, defaultConnectionLimits, new LimitCounters()].flatMap((table) => Object.keys(table));
  const missing = names.filter((name) => name !== "refusedByInterceptor" && !readme.includes(`\`${name}\``));
  expect(missing).toEqual([]);
});
