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
const where = scripts === null ? `, of which there are none at ${directory},` : "";

describe.skipIf(scripts === null)(`of the reference's scripts${where}`, () => {
  test.each(scripts ?? ["each"])("%s gives byte for byte what is expected", (script) => {
    const path = join(directory, script);
    expect(runScript(scriptKindOf(path), readFileSync(path, "utf8")).failure).toBeNull();
  });
});
