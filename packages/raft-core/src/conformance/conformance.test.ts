import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { scriptKindOf } from "./script-kind.ts";
import { runScript } from "./script-run.ts";
import { scriptsIn, testDataDirectory } from "./test-data.ts";

const projectDirectory = fileURLToPath(new URL("../../../..", import.meta.url));
const directory = testDataDirectory(projectDirectory, process.env);
const scripts = scriptsIn(directory);
if (scripts === null) console.warn(`There are no scripts of the reference at ${directory}: they are skipped`);

describe.skipIf(scripts === null)("the reference's scripts", () => {
  test.each(scripts ?? [])("%s gives byte for byte what is expected", (script) => {
    const path = join(directory, script);
    expect(runScript(scriptKindOf(path), readFileSync(path, "utf8")).failure).toBeNull();
  });
});
