import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const chunkBytes = 64 * 1024;
const ballastName = "ballast";

/**
 * A file system in memory that is soon full. It is mounted in a namespace of a process that does nothing else, so that nobody else
 * sees it, and it is gone with that process, however the test ends.
 */
export class SmallDisk {
  readonly #holder: ChildProcess;
  readonly #mountPoint: string;

  private constructor(holder: ChildProcess, mountPoint: string) {
    this.#holder = holder;
    this.#mountPoint = mountPoint;
  }

  /** Null where this user may not mount. */
  static async mount(sizeBytes: number): Promise<SmallDisk | null> {
    if (process.platform !== "linux") return null;
    const mountPoint = tmpdir();
    const script = `mount -t tmpfs -o size=${sizeBytes} tmpfs "$0" && echo mounted && exec cat`;
    const holder = spawn("unshare", ["--mount", "sh", "-c", script, mountPoint], { stdio: ["pipe", "pipe", "ignore"] });
    const mounted = await Promise.race([
      once(holder.stdout, "data").then(() => true),
      once(holder, "close").then(() => false),
      once(holder, "error").then(() => false),
    ]);
    return mounted ? new SmallDisk(holder, mountPoint) : null;
  }

  /** Where this process and others reach it: through the process that holds it. */
  get path(): string {
    return `/proc/${this.#holder.pid}/root${this.#mountPoint}`;
  }

  /** Takes all space but about `leftBytes`. */
  async fill(leftBytes: number): Promise<void> {
    const file = await open(join(this.path, ballastName), "a");
    try {
      const sizeBytes = await fillUp(file);
      await file.truncate(Math.max(0, sizeBytes - leftBytes));
    } finally {
      await file.close();
    }
  }

  async free(): Promise<void> {
    await rm(join(this.path, ballastName));
  }

  async unmount(): Promise<void> {
    const closed = once(this.#holder, "close");
    this.#holder.kill("SIGKILL");
    await closed;
  }
}

/** Appends until there is no space. Resolves with the size of the file. */
async function fillUp(file: FileHandle): Promise<number> {
  const chunk = new Uint8Array(chunkBytes);
  for (;;) {
    try {
      await file.appendFile(chunk);
    } catch {
      return (await file.stat()).size;
    }
  }
}
