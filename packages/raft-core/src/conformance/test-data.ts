import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";

/** Names the folder of scripts to run, relative to where the command was given. */
export const TEST_DATA_VARIABLE = "ETCD_RAFT_TESTDATA";

/** Where the scripts are unless something else is said: beside the project, of which they are no part. */
const DEFAULT_DIRECTORY = "../shared/testdata/etcd-raft";

/** The folder of scripts. `projectDirectory` holds the package-lock. */
export function testDataDirectory(projectDirectory: string, environment: Readonly<Record<string, string | undefined>>): string {
  const named = environment[TEST_DATA_VARIABLE];
  if (named === undefined || named === "") return resolve(projectDirectory, DEFAULT_DIRECTORY);
  return resolve(environment["INIT_CWD"] ?? projectDirectory, named);
}

/** The scripts below `directory`, relative to it, in order; null if there are none, or no such folder. */
export function scriptsIn(directory: string): readonly string[] | null {
  if (!existsSync(directory)) return null;
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" });
  const scripts = paths.filter((path) => path.endsWith(".txt")).sort();
  return scripts.length === 0 ? null : scripts;
}
