const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const invalid = 255;

const digits = new Uint8Array(128).fill(invalid);
for (let value = 0; value < alphabet.length; value++) digits[alphabet.charCodeAt(value)] = value;

/** Base64 without padding (RFC 4648 section 4), as gRPC sends `-bin` metadata. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let offset = 0; offset < bytes.length; offset += 3) {
    const left = bytes.length - offset;
    const group = ((bytes[offset] ?? 0) << 16) | ((bytes[offset + 1] ?? 0) << 8) | (bytes[offset + 2] ?? 0);
    text += alphabet.charAt(group >>> 18) + alphabet.charAt((group >>> 12) & 63);
    if (left > 1) text += alphabet.charAt((group >>> 6) & 63);
    if (left > 2) text += alphabet.charAt(group & 63);
  }
  return text;
}

/** Reads base64 with or without padding. Null if it is not base64. */
export function decodeBase64(text: string): Uint8Array | null {
  let length = text.length;
  while (length > 0 && text.length - length < 2 && text.charCodeAt(length - 1) === 0x3d) length--;
  if (length % 4 === 1) return null;
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let group = 0;
  let groupBits = 0;
  let count = 0;
  for (let offset = 0; offset < length; offset++) {
    const digit = digits[text.charCodeAt(offset)] ?? invalid;
    if (digit === invalid) return null;
    group = ((group << 6) | digit) & 0xffffff;
    groupBits += 6;
    if (groupBits >= 8) {
      groupBits -= 8;
      bytes[count++] = (group >>> groupBits) & 0xff;
    }
  }
  return bytes;
}
