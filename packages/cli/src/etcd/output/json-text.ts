/** What can be written as JSON: an id of 64 bits without loss, bytes as base64. What is undefined is left out. */
export type JsonOutput =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly JsonOutput[]
  | { readonly [name: string]: JsonOutput | undefined };

/** As Go writes it: without spaces, and with `<`, `>` and `&` escaped. */
export function jsonText(value: JsonOutput): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "string") return stringText(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString("base64")}"`;
  if (isList(value)) return `[${value.map(jsonText).join(",")}]`;
  const members: string[] = [];
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${stringText(name)}:${jsonText(member)}`);
  }
  return `{${members.join(",")}}`;
}

function isList(value: object): value is readonly JsonOutput[] {
  return Array.isArray(value);
}

function stringText(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
