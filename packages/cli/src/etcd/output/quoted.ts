const escapes: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** In double quotes, as Go shows a string: what can't be printed is escaped, bytes that are no UTF-8 as `\xff`. */
export function quoted(bytes: Uint8Array | string): string {
  if (typeof bytes === "string") return `"${Array.from(bytes, escaped).join("")}"`;
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const character = characterAt(bytes, at);
    text += character === null ? `\\x${hexByte(bytes[at] ?? 0)}` : escaped(character);
    at += character === null ? 1 : Buffer.byteLength(character);
  }
  return `"${text}"`;
}

/** `\x66\x6f\x6f`: every byte, as --hex shows them. */
export function hexEscaped(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\x${hexByte(byte)}`).join("");
}

function escaped(character: string): string {
  const known = escapes[character];
  if (known !== undefined) return known;
  if (printable.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${hexByte(code)}`;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** The character that begins at `at`, or null if none does. */
function characterAt(bytes: Uint8Array, at: number): string | null {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > bytes.length) return null;
  try {
    return decoder.decode(bytes.subarray(at, at + length));
  } catch {
    return null;
  }
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
