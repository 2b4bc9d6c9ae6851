import { execFile } from "node:child_process";
import { endText, type Terminal } from "./terminal.ts";

/** A terminal in memory: keeps what is written, gives the input that it was made with, and sends the signals that it is told to. */
export class MemoryTerminal implements Terminal {
  readonly input: AsyncIterable<Uint8Array>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly showsProgress: boolean = false;
  readonly #out: Uint8Array[] = [];
  readonly #stops = new Set<(signal: string) => void>();
  /** What was written for a person. */
  err = "";

  constructor(input: readonly Uint8Array[] = [], environment: Readonly<Record<string, string>> = {}) {
    this.environment = environment;
    this.input = (async function* () {
      yield* input;
    })();
  }

  get outBytes(): Uint8Array {
    return Buffer.concat(this.#out);
  }

  get out(): string {
    return Buffer.from(this.outBytes).toString("utf8");
  }

  writeOut(bytes: string | Uint8Array): void {
    this.#out.push(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
  }

  writeErr(text: string): void {
    this.err += text;
  }

  onInputEnd(ended: () => void): void {
    ended();
  }

  onStop(stop: (signal: string) => void): () => void {
    this.#stops.add(stop);
    return () => this.#stops.delete(stop);
  }

  run([file = "", ...args]: readonly string[], variables: Readonly<Record<string, string>>): Promise<string | null> {
    return new Promise((resolve) => {
      const child = execFile(file, args, { env: { ...process.env, ...variables } }, (error, out, err) => {
        this.writeOut(out);
        this.writeErr(err);
        resolve(child.pid === undefined ? (error?.message ?? "it could not be started") : endText(child.exitCode, child.signalCode));
      });
    });
  }

  signal(name: string): void {
    for (const stop of [...this.#stops]) stop(name);
  }
}
