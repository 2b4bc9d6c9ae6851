import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { SnapshotReading } from "./snapshot-reader-main.ts";

/** The build of `snapshot-reader-main.ts`, beside the one of this file. */
const program = fileURLToPath(new URL("./snapshot-reader-main.js", import.meta.url));

/**
 * Somebody who fetches snapshots of a member, one after the other, in a process of its own: what comes is memory that V8 collects, and the load
 * that is measured meanwhile would wait for that.
 */
export class SnapshotProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<SnapshotReading>;

  constructor(clientPort: number, signal: AbortSignal) {
    this.#child = fork(program, [String(clientPort)], { signal, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once("message", (message) => resolve(message as SnapshotReading));
      this.#child.once("error", reject);
      this.#child.once("exit", (status) => reject(new Error(`The process that reads snapshots ended with status ${String(status)}`)));
    });
    // Whoever calls `stop` is told.
    this.#ended.catch(() => undefined);
  }

  /** Resolves to what has come. Rejects if the process ended before. */
  stop(): Promise<SnapshotReading> {
    if (this.#child.connected) this.#child.send("stop");
    return this.#ended;
  }
}
