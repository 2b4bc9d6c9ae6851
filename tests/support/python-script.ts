import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Debian's packages belong to Debian's Python, which need not be the first on the PATH. */
const interpreters = ["python3", "/usr/bin/python3"];

/** The Python that has this module, or null. */
export function findPython(module: string): string | null {
  return interpreters.find((program) => spawnSync(program, ["-c", `import ${module}`]).status === 0) ?? null;
}

/** Runs a script to its end and gives what it printed; rejects with its traceback if it fails. */
export async function runPython(python: string, script: URL, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(python, [fileURLToPath(script), ...args], { timeout: 200_000 });
  return stdout;
}
