import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { SnapshotReading } from "./snapshot-reader-main.ts";

/** The build of `snapshot-reader-main.ts`, beside the one of this file. */
const program = fileURLToPath(new URL("./snapshot-reader-main.js", import.meta.url));

/** How long the process may take to end. */
const stopMs = 5_000;

/**
 * Somebody who fetches snapshots of a member, one after the other, in a process of its own: what comes is memory that V8 collects, and the load
 * that is measured meanwhile would wait for that.
 */
export class SnapshotProcess {
  readonly #child: ChildProcess;
  readonly #begun: Promise<void>;
  readonly #exit: Promise<void>;
  #reading: SnapshotReading | null = null;
  #failure: Error | null = null;

  private constructor(clientPort: number) {
    this.#child = fork(program, [String(clientPort)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    // Also of a message to a process that has just ended.
    this.#child.on("error", (error) => {
      this.#failure ??= error;
    });
    this.#exit = new Promise((resolve) => this.#child.once("exit", () => resolve()));
    const first = new Promise<void>((resolve) => {
      this.#child.on("message", (message) => {
        this.#reading = message as SnapshotReading;
        resolve();
      });
    });
    this.#begun = Promise.race([first, this.#exit]);
  }

  /** Resolves when something of a snapshot has come, or the process has ended. */
  static async start(clientPort: number): Promise<SnapshotProcess> {
    const started = new SnapshotProcess(clientPort);
    await started.#begun;
    return started;
  }

  /** Resolves to what has come, when the process has ended; never rejects. */
  async stop(): Promise<SnapshotReading> {
    const { connected } = this.#child;
    if (connected) this.#child.send("stop", () => undefined);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), stopMs);
    await this.#exit;
    clearTimeout(timer);
    const { bytes, failure } = this.#reading ?? { bytes: 0, failure: null };
    return { bytes, failure: failure ?? this.#failure?.message ?? (connected ? null : "the process that read them ended by itself") };
  }
}
