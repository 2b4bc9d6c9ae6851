import { JsonError } from "./json-value.ts";

/** With padding, in the standard alphabet (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

/** In both alphabets, with or without padding; line breaks are passed over. Throws JsonError. */
export function fromBase64(text: string): Uint8Array {
  const digits = /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, "") : text;
  const length = digits.endsWith("=") ? digits.replace(/={1,2}$/, "").length : digits.length;
  const stranger = digits.slice(0, length).search(/[^A-Za-z0-9+/_-]/);
  if (stranger >= 0) throw new JsonError(`illegal base64 data at input byte ${stranger}`);
  if (length % 4 === 1) throw new JsonError(`illegal base64 data at input byte ${length - 1}`);
  // A copy: what Buffer gives lies in a pool that it shares.
  return new Uint8Array(Buffer.from(digits, "base64"));
}
