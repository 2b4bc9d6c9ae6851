import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";

const plainEscapes: Readonly<Record<string, number>> = {
  a: 0x07,
  b: 0x08,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  v: 0x0b,
  "\\": 0x5c,
  "'": 0x27,
  '"': 0x22,
};

/** A plain run, or one escape: `\n`, `\x41`, `\101`, `\u00e4`, `\U0001f600`. */
const piece = /([^\\]+)|\\(?:([abfnrtv\\'"])|x([\da-fA-F]{2})|([0-3][0-7]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))/gy;

/** Reads a text in double quotes or backquotes, as Go writes strings. Throws ProgramError. */
export function unquote(quoted: string): Uint8Array {
  const inner = quoted.slice(1, -1);
  if (quoted.startsWith("`")) return Buffer.from(inner);
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const match of inner.matchAll(piece)) {
    parts.push(bytesOf(match));
    at = match.index + match[0].length;
  }
  if (at < inner.length)
    throw new ProgramError(etcdExit.invalidInput, `${quoted} has an escape that does not exist at "${inner.slice(at)}"`);
  return Buffer.concat(parts);
}

function bytesOf([, plain, escape = "", hex, octal, short, long]: RegExpMatchArray): Uint8Array {
  if (plain !== undefined) return Buffer.from(plain);
  if (hex !== undefined) return Uint8Array.of(Number.parseInt(hex, 16));
  if (octal !== undefined) return Uint8Array.of(Number.parseInt(octal, 8));
  const point = short ?? long;
  if (point === undefined) return Uint8Array.of(plainEscapes[escape] ?? 0);
  const code = Number.parseInt(point, 16);
  if (code > 0x10ffff) throw new ProgramError(etcdExit.invalidInput, `There is no character ${point}`);
  return Buffer.from(String.fromCodePoint(code));
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The same as text, for what has to be one. Throws ProgramError. */
export function unquoteText(quoted: string): string {
  try {
    return decoder.decode(unquote(quoted));
  } catch (error) {
    if (error instanceof ProgramError) throw error;
    throw new ProgramError(etcdExit.invalidInput, `${quoted} is not UTF-8`, { cause: error });
  }
}
