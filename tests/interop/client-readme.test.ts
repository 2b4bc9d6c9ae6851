import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ProcessCluster } from "../support/process-cluster.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const readme = readFileSync(path("../../packages/client/README.md"), "utf8");
const example = /```ts\n(?<program>.*?)```\n```text\n(?<output>.*?)```/s.exec(readme)?.groups ?? {};
const program = example["program"] ?? "";

let cluster: ProcessCluster;
let directory = "";

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "raftkv-readme-"));
  cluster = await ProcessCluster.start({ size: 3, flags: ["--log-level=warn"] });
});
afterAll(async () => {
  await cluster?.dispose();
  rmSync(directory, { recursive: true, force: true });
});

/** What the compiler says of the example, as a file of this directory under the settings of the tests. */
function typeErrors(): readonly string[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    path("../../tsconfig.tests.json"),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  const file = path("./readme-example.ts");
  const options: ts.CompilerOptions = { ...config?.options, incremental: false };
  delete options.tsBuildInfoFile;
  const host = ts.createCompilerHost(options);
  const readFile = host.readFile.bind(host);
  const getSourceFile = host.getSourceFile.bind(host);
  host.fileExists = (name) => name === file || ts.sys.fileExists(name);
  host.readFile = (name) => (name === file ? program : readFile(name));
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, program, ts.ScriptTarget.ES2023) : getSourceFile(name, ...rest);
  const compiled = ts.createProgram([file], options, host);
  const source = compiled.getSourceFile(file);
  return [...compiled.getSyntacticDiagnostics(source), ...compiled.getSemanticDiagnostics(source)].map(({ messageText }) =>
    ts.flattenDiagnosticMessageText(messageText, "\n"),
  );
}

/** Runs it with the sources of the packages, and returns what it prints. */
async function run(): Promise<string> {
  const outfile = join(directory, "example.mjs");
  await build({
    stdin: { contents: program, loader: "ts", resolveDir: path("../../packages/cli/src") },
    conditions: ["@raftkv/source"],
    banner: { js: "export const lines = []; const print = (line) => lines.push(String(line));" },
    define: { "console.log": "print" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "silent",
    outfile,
  });
  process.env["RAFTKV_ENDPOINTS"] = `raftkv://${cluster.endpoints}`;
  try {
    const { lines } = (await import(pathToFileURL(outfile).href)) as { readonly lines: readonly string[] };
    return lines.map((line) => `${line}\n`).join("");
  } finally {
    delete process.env["RAFTKV_ENDPOINTS"];
  }
}

test("the example of the client's README has the types that it needs", () => {
  expect(program).toContain("connect()");
  expect(typeErrors()).toEqual([]);
});

test("it prints what stands below it", async () => {
  expect(await run()).toBe(example["output"]);
});
