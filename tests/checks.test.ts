import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { firstMissingPackage, nodeTooOld } from "../scripts/bootstrap.mjs";
import { countTests, summaryLine } from "../scripts/summary.mjs";

/** A check that can't fail checks nothing: each rule sees its violation here, in a small tree of its own. */

const root = fileURLToPath(new URL("..", import.meta.url));
let tree = "";

function plant(file: string, text: string): void {
  mkdirSync(dirname(join(tree, file)), { recursive: true });
  writeFileSync(join(tree, file), text);
}

function start(program: string, args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: tree, encoding: "utf8" });
  return { status, output: stdout + stderr };
}

/** Packages of the small tree, with what their package.json declares. */
const dependencies: Readonly<Record<string, readonly string[]>> = {
  "raft-core": [],
  kvstore: [],
  "raft-node": ["raft-core"],
  "log-store": ["raft-node"],
  server: ["raft-node"],
  cli: ["server"],
};

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), "raftkv-checks-"));
  mkdirSync(join(tree, "tests"));
  mkdirSync(join(tree, "node_modules/@raftkv"), { recursive: true });
  for (const name of [".bin", "dependency-cruiser", "typescript", "@types", "fast-check"]) {
    symlinkSync(join(root, "node_modules", name), join(tree, "node_modules", name));
  }
  for (const file of [
    ".oxlintrc.json",
    ".dependency-cruiser.mjs",
    "package.json",
    "tsconfig.base.json",
    "tsconfig.tests.json",
    "scripts",
  ]) {
    cpSync(join(root, file), join(tree, file), { recursive: true });
  }
  for (const [name, declared] of Object.entries(dependencies)) {
    const manifest = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")) as Record<string, unknown>;
    manifest["dependencies"] = Object.fromEntries(declared.map((dependency) => [`@raftkv/${dependency}`, "0.0.0"]));
    plant(`packages/${name}/package.json`, JSON.stringify(manifest));
    const project = JSON.parse(readFileSync(join(root, "packages", name, "tsconfig.json"), "utf8")) as Record<string, unknown>;
    project["references"] = declared.map((dependency) => ({ path: `../${dependency}` }));
    plant(`packages/${name}/tsconfig.json`, JSON.stringify(project));
    const imports = declared.map((dependency) => `import type { Nothing as N } from "@raftkv/${dependency}";\nexport type { N };\n`);
    const file = name === "cli" ? "commands/server-command.ts" : "index.ts";
    plant(`packages/${name}/src/${file}`, `${imports.join("")}export type Nothing = null;\n`);
    symlinkSync(join(tree, "packages", name), join(tree, "node_modules/@raftkv", name));
  }
  spawnSync("git", ["init", "-q"], { cwd: tree });
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

describe("lint", () => {
  const rows: readonly (readonly [rule: string, file: string, text: string])[] = [
    ["no-floating-promises", "raft-node/src/a.ts", "async function f(): Promise<void> {}\nexport function g(): void {\n  f();\n}\n"],
    [
      "no-misused-promises",
      "raft-node/src/b.ts",
      "export function f(list: number[]): void {\n  list.forEach(async (n) => await Promise.resolve(n));\n}\n",
    ],
    ["no-explicit-any", "server/src/a.ts", "export function f(value: any): void {\n  void value;\n}\n"],
    ["no-unsafe-member-access", "server/src/b.ts", 'export const f = (): number => JSON.parse("{}").a;\n'],
    ["no-console", "server/src/c.ts", 'console.log("here");\n'],
    ["no-restricted-properties", "server/src/d.ts", "export const f = (): number => Date.now();\n"],
    ["no-restricted-properties", "log-store/src/a.ts", "export const f = (): number => Math.random();\n"],
    ["no-restricted-globals", "server/src/e.ts", "export const f = (): unknown => setTimeout(() => undefined, 1);\n"],
    ["no-restricted-globals", "server/src/f.ts", "export const f = (): number => performance.now();\n"],
    ["no-restricted-imports", "server/src/g.ts", 'export { setTimeout } from "node:timers/promises";\n'],
    ["no-restricted-imports", "server/src/h.ts", 'import { randomBytes } from "node:crypto";\nexport const f = randomBytes;\n'],
    ["no-restricted-imports", "raft-node/src/c.ts", 'import { readFileSync } from "node:fs";\nexport const f = readFileSync;\n'],
    ["no-restricted-imports", "log-store/src/b.ts", 'import { connect } from "node:net";\nexport const f = connect;\n'],
    ["no-restricted-imports", "raft-core/src/a.ts", 'import { readFileSync } from "node:fs";\nexport const f = readFileSync;\n'],
    ["no-restricted-imports", "kvstore/src/a.ts", 'import type { Nothing } from "@raftkv/raft-core";\nexport type F = Nothing;\n'],
    ["no-restricted-globals", "raft-core/src/b.ts", "export const f = (): unknown => new Date(0);\n"],
    ["no-restricted-globals", "raft-core/src/c.ts", "export const f = (): unknown => process.pid;\n"],
    ["no-restricted-globals", "kvstore/src/b.ts", 'export const f = (): unknown => Buffer.from("a");\n'],
    ["no-restricted-globals", "kvstore/src/c.ts", 'export const f = (): void => console.log("here");\n'],
    ["no-restricted-globals", "kvstore/src/d.ts", "export const f = (): unknown => new Intl.Collator();\n"],
    ["no-restricted-globals", "kvstore/src/e.ts", "export const f = (): unknown => crypto.randomUUID();\n"],
    ["no-restricted-properties", "kvstore/src/f.ts", "export const f = (): number => Math.random();\n"],
    ["no-focused-tests", "kvstore/src/g.test.ts", 'import { test } from "vitest";\ntest.only("a", () => undefined);\n'],
  ];
  const allowed: readonly (readonly [file: string, text: string])[] = [
    ["server/src/ports/real-clock.ts", "export const f = (): number => performance.now() + Date.now();\n"],
    ["kvstore/src/h.test.ts", "export const f = (): number => Date.now();\n"],
    ["raft-core/src/d.ts", 'import type { Nothing } from "./index.ts";\nexport type F = Nothing;\n'],
    ["cli/src/a.ts", 'console.log("here");\n'],
  ];
  const findings = new Map<string, string>();

  beforeAll(() => {
    for (const [, file, text] of rows) plant(`packages/${file}`, text);
    for (const [file, text] of allowed) plant(`packages/${file}`, text);
    const { output } = start(join(root, "node_modules/.bin/oxlint"), ["--format=json"]);
    const { diagnostics } = JSON.parse(output) as { diagnostics: readonly { readonly code: string; readonly filename: string }[] };
    for (const { code, filename } of diagnostics) findings.set(filename, `${findings.get(filename) ?? ""} ${code}`);
    for (const [, file] of rows) rmSync(join(tree, "packages", file));
    for (const [file] of allowed) rmSync(join(tree, "packages", file));
  });

  test.each(rows)("%s is found in %s", (rule, file) => {
    expect(findings.get(`packages/${file}`)).toContain(`(${rule})`);
  });

  test.each(allowed)("nothing is found in %s", (file) => {
    expect(findings.get(`packages/${file}`)).toBeUndefined();
  });
});

describe("import directions", () => {
  const directions = (): { readonly status: number | null; readonly output: string } =>
    start(process.execPath, [join(tree, "scripts/import-directions.mjs")]);
  const typeOf = (name: string): string => `import type { Nothing } from "@raftkv/${name}";\nexport type F = Nothing;\n`;
  const rows: readonly (readonly [rule: string, file: string, text: string])[] = [
    ["raft-core-imports-only-below", "raft-core/src/a.ts", typeOf("raft-node")],
    ["pure-packages-import-nothing", "raft-core/src/b.ts", 'export { readFileSync } from "node:fs";\n'],
    ["kvstore-imports-only-below", "kvstore/src/a.ts", typeOf("raft-core")],
    ["pure-packages-import-nothing", "kvstore/src/b.ts", 'export const f = (): unknown => import("node:fs");\n'],
    ["raft-node-imports-only-below", "raft-node/src/a.ts", typeOf("server")],
    ["log-store-imports-only-below", "log-store/src/a.ts", typeOf("kvstore")],
    ["types-only-from-raft-core", "log-store/src/b.ts", 'import * as core from "@raftkv/raft-core";\nexport const f = core;\n'],
    ["server-only-from-its-commands", "cli/src/commands/put-command.ts", typeOf("server")],
    ["only-what-exports-names", "server/src/a.ts", 'export * from "../../raft-node/src/inner.ts";\n'],
    ["not-through-its-own-index", "server/src/b.ts", 'export * from "./index.ts";\n'],
    ["no-cycle", "server/src/c.ts", 'export * from "./d.ts";\n'],
    ["no-test-in-the-product", "server/src/e.ts", 'export * from "./e.test.ts";\n'],
    ["no-test-in-the-product", "server/src/h.ts", 'export * from "./testing/fixture.ts";\n'],
    ["only-declared-packages", "server/src/f.ts", 'export * from "fast-check";\n'],
    ["everything-resolves", "server/src/g.ts", 'export * from "./nowhere.ts";\n'],
    ["package-is-in-the-table", "new/src/a.ts", 'export * from "node:fs";\n'],
    ["was not looked at", "server/src/dist/a.ts", "export type F = null;\n"],
  ];
  const beside: readonly (readonly [file: string, text: string])[] = [
    ["raft-node/src/inner.ts", "export type F = null;\n"],
    ["server/src/d.ts", 'export * from "./c.ts";\n'],
    ["server/src/e.test.ts", "export type F = null;\n"],
    ["server/src/testing/fixture.ts", 'export * from "fast-check";\n'],
    ["new/package.json", "{}"],
  ];
  let planted = { status: 0 as number | null, output: "" };
  let clean = planted;
  let unused = planted;

  beforeAll(() => {
    clean = directions();
    for (const [, file, text] of rows) plant(`packages/${file}`, text);
    for (const [file, text] of beside) plant(`packages/${file}`, text);
    planted = directions();
    for (const [, file] of rows) rmSync(join(tree, "packages", file));
    for (const [file] of beside) rmSync(join(tree, "packages", file));
    rmSync(join(tree, "packages/new"), { recursive: true });
    plant("packages/raft-node/src/index.ts", "export type Nothing = null;\n");
    unused = directions();
  });

  test("a tree that keeps them passes", () => {
    expect(clean.output).toContain(" 0 findings");
    expect(clean.status).toBe(0);
  });

  test.each(rows)("%s is found in %s", (rule, file) => {
    expect(planted.status).toBe(1);
    expect(
      planted.output
        .split("\n")
        .filter((line) => line.startsWith(`packages/${file}`))
        .join("\n"),
    ).toContain(rule);
  });

  test("a declared dependency that was not seen as an import is a finding", () => {
    expect(unused.status).toBe(1);
    expect(unused.output).toContain("raft-node → raft-core: declared in package.json, but no file imports it");
  });
});

describe("scripts", () => {
  test("a Node.js that is too old is told which one is needed", () => {
    expect(nodeTooOld("20.18.3", ">=20.19")).toBe("Node.js 20.18.3 is too old, RaftKV needs 20.19 or newer");
    expect(nodeTooOld("18.20.0", ">=20.19")).not.toBeNull();
    expect(nodeTooOld("20.19.0", ">=20.19")).toBeNull();
    expect(nodeTooOld("24.0.0", ">=20.19")).toBeNull();
  });

  test("packages are installed when one of them is missing or has another version", () => {
    const lock = {
      packages: {
        "": {},
        "packages/api": {},
        "node_modules/a": { version: "1.0.0" },
        "node_modules/b": { version: "2.0.0", optional: true },
      },
    };
    expect(firstMissingPackage(lock, null)).toBe("node_modules/a");
    expect(firstMissingPackage(lock, { packages: { "node_modules/a": { version: "1.0.0" } } })).toBeNull();
    expect(firstMissingPackage(lock, { packages: { "node_modules/a": { version: "1.0.1" } } })).toBe("node_modules/a");
    expect(
      firstMissingPackage(lock, { packages: { "node_modules/a": { version: "1.0.0" }, "node_modules/b": { version: "1.9.0" } } }),
    ).toBe("node_modules/b");
  });

  test("a run counts what its report says, and as failed without one", () => {
    const file = (status: string, ...tests: string[]): unknown => ({
      status,
      assertionResults: tests.map((outcome) => ({ status: outcome })),
    });
    const report = (numPassedTests: number, numFailedTests: number, ...testResults: unknown[]): unknown => ({
      numPassedTests,
      numFailedTests,
      testResults,
    });
    expect(summaryLine(countTests(report(2, 0, file("passed", "passed", "passed")), 0))).toBe("2 passed, 0 failed");
    expect(summaryLine(countTests(report(1, 1, file("failed", "passed", "failed")), 1))).toBe("1 passed, 1 failed");
    expect(summaryLine(countTests(report(1, 0, file("passed", "passed"), file("failed")), 1))).toBe("1 passed, 1 failed");
    expect(summaryLine(countTests(report(1, 0, file("passed", "passed")), 1))).toBe("1 passed, 1 failed");
    expect(summaryLine(countTests(null, 0))).toBe("0 passed, 1 failed");
  });
});
