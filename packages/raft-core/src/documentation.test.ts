import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { expect, test } from "vitest";

test("the example of the documentation does what it says", async () => {
  const page = readFileSync(new URL("../../../docs/raft-core.md", import.meta.url), "utf8");
  const [, example = ""] = /```ts\n([\s\S]*?)```/.exec(page) ?? [];
  const [, promised] = /^\/\/ (.*)$/m.exec(example) ?? [];
  const { outputFiles } = await build({
    stdin: { contents: example, loader: "ts", resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    alias: { "@raftkv/raft-core": fileURLToPath(new URL("./index.ts", import.meta.url)) },
    bundle: true,
    format: "iife",
    platform: "neutral",
    write: false,
  });
  const lines: string[] = [];
  const console = { log: (...parts: readonly string[]) => lines.push(parts.join(" ")) };
  runInContext(outputFiles[0]?.text ?? "", createContext({ console, TextDecoder, TextEncoder }));
  expect(lines).toEqual([promised]);
});
