import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { programSource } from "../testing/program-source.ts";

/** Builds the storage program from its sources into `directory`; returns its path. */
export function buildStorageProgram(directory: string): string {
  const path = join(directory, "storage-program.mjs");
  const statements = "process.exitCode = await module.runStorageProgram(JSON.parse(process.argv[2]));";
  writeFileSync(path, programSource(new URL("./storage-program.ts", import.meta.url), statements));
  return path;
}
