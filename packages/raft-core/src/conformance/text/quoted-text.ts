const namedEscapes: Readonly<Record<string, string>> = {
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

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 in double quotes: what is printable as it is, everything else escaped with a backslash. */
export function quotedText(bytes: Uint8Array): string {
  return `"${Array.from(decoder.decode(bytes), escaped).join("")}"`;
}

function escaped(character: string): string {
  const named = namedEscapes[character];
  if (named !== undefined) return named;
  if (character === " " || !/[\p{C}\p{Z}]/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${digits(code, 2)}`;
  return code < 0x10000 ? `\\u${digits(code, 4)}` : `\\U${digits(code, 8)}`;
}

function digits(value: number, count: number): string {
  return value.toString(16).padStart(count, "0");
}
