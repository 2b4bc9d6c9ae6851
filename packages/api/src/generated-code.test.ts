import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const packageDirectory = fileURLToPath(new URL("..", import.meta.url));
const bufDirectory = dirname(createRequire(import.meta.url).resolve("@bufbuild/buf/package.json"));

function runBuf(...args: string[]): string {
  const pluginPath = join(bufDirectory, "..", "..", ".bin");
  return execFileSync(process.execPath, [join(bufDirectory, "bin", "buf"), ...args], {
    cwd: packageDirectory,
    env: { ...process.env, PATH: `${pluginPath}${delimiter}${process.env["PATH"] ?? ""}` },
    encoding: "utf8",
  });
}

function filesBelow(directory: string): ReadonlyMap<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return new Map(names.sort().map((name) => [name, readFileSync(join(directory, name), "utf8")]));
}

test("the generated code is what the generator makes of the .proto files now", () => {
  const directory = mkdtempSync(join(tmpdir(), "raftkv-generated-"));
  try {
    runBuf("generate", "--output", directory);
    const fresh = filesBelow(join(directory, "src", "generated"));
    expect(fresh.size).toBeGreaterThan(10);
    expect(filesBelow(join(packageDirectory, "src", "generated"))).toEqual(fresh);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("the .proto files pass the linter and are formatted", () => {
  expect(runBuf("lint")).toBe("");
  expect(runBuf("format", "--diff", "--exit-code")).toBe("");
});
