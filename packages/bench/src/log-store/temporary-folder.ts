import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { resolve } from "node:path";

/** Calls `use` with a new folder in `directory`, which is removed afterwards, whatever ends this process. */
export async function withTemporaryFolder<T>(directory: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(resolve(directory, "raftkv-bench-"));
  const cleanAtExit = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.on("exit", cleanAtExit);
  try {
    return await use(folder);
  } finally {
    process.off("exit", cleanAtExit);
    await rm(folder, { recursive: true, force: true });
  }
}
