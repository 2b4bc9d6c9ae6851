import { exitCode } from "./exit-code.ts";
import { ProgramError, type Terminal } from "./terminal.ts";

/** Most bytes that are read from standard input; a server takes 1.5 MiB unless it was told otherwise. */
export const inputBytesMax = 16 * 1024 * 1024;

/** How keys and values stand on the command line. */
export type ArgumentEncoding = "text" | "hex";

export function decodeArgument(text: string, encoding: ArgumentEncoding, what: string): Uint8Array {
  if (encoding === "text") return Buffer.from(text, "utf8");
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw new ProgramError(exitCode.usage, `${what} "${text}" is not pairs of hex digits`);
  return Buffer.from(text, "hex");
}

/** The value of a command: the argument, or all of standard input if it is "-", byte for byte. */
export async function readValue(argument: string, encoding: ArgumentEncoding, terminal: Terminal): Promise<Uint8Array> {
  if (argument !== "-") return decodeArgument(argument, encoding, "Value");
  const bytes = await readInput(terminal);
  return encoding === "text" ? bytes : decodeArgument(Buffer.from(bytes).toString("latin1").trim(), "hex", "Value");
}

/** All of standard input, byte for byte. Throws ProgramError if it is too long. */
export async function readInput(terminal: Terminal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of terminal.input) {
    sizeBytes += chunk.length;
    if (sizeBytes > inputBytesMax) throw new ProgramError(exitCode.error, `Standard input is longer than ${inputBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
