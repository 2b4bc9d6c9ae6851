import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { scriptKindOf } from "./script-kind.ts";
import { runScript } from "./script-run.ts";
import { scriptsIn, TEST_DATA_VARIABLE, testDataDirectory } from "./test-data.ts";

/** `npm run conformance`: runs the reference's scripts against this core, one line each. npm starts it in the package's folder. */
const projectDirectory = resolve("../..");

function runAll(directory: string, scripts: readonly string[]): boolean {
  let failed = 0;
  let directives = 0;
  for (const script of scripts) {
    const path = join(directory, script);
    const { passed, failure } = runScript(scriptKindOf(path), readFileSync(path, "utf8"));
    directives += passed;
    if (failure === null) print(`ok   ${script} (${passed} directives)\n`);
    else print(`FAIL ${script}:${failure.line} ${failure.description}`);
    if (failure !== null) failed++;
  }
  print(`${scripts.length - failed} files passed, ${failed} failed (${directives} directives as expected)\n`);
  return failed === 0;
}

function print(text: string): void {
  process.stdout.write(text);
}

const directory = testDataDirectory(projectDirectory, process.env);
const scripts = scriptsIn(directory);
if (scripts === null) print(`No scripts at ${directory}; ${TEST_DATA_VARIABLE} names another folder\n`);
else if (!runAll(directory, scripts)) process.exitCode = 1;
