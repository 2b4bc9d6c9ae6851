import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";

/** Longest line that is read: a transaction's largest request is smaller. */
const lineBytesMax = 4 * 1024 * 1024;
const newline = 0x0a;

/** Reads standard input line by line, without the spaces around. A last line without an end is not read: somebody may have been interrupted. */
export class LineReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #held: Uint8Array = new Uint8Array(0);

  constructor(input: AsyncIterable<Uint8Array>) {
    this.#chunks = input[Symbol.asyncIterator]();
  }

  /** The next line, or null at the end. Throws ProgramError for what is no text, and for what has no end. */
  async next(): Promise<string | null> {
    for (;;) {
      const end = this.#held.indexOf(newline);
      if (end >= 0) return this.#take(end);
      if (this.#held.length > lineBytesMax) {
        throw new ProgramError(etcdExit.invalidInput, `A line of the input is longer than ${lineBytesMax} bytes`);
      }
      const step = await this.#chunks.next();
      if (step.done === true) return null;
      this.#held = Buffer.concat([this.#held, step.value]);
    }
  }

  #take(end: number): string {
    const line = this.#held.subarray(0, end);
    this.#held = this.#held.subarray(end + 1);
    try {
      return this.#decoder.decode(line).trim();
    } catch (cause) {
      const shown = JSON.stringify(Buffer.from(line).toString("latin1"));
      throw new ProgramError(etcdExit.invalidInput, `The line ${shown} is not UTF-8`, { cause });
    }
  }
}
