const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `grpc-message`: UTF-8, with every octet outside 20-24 and 26-7e as %XX (PROTOCOL-HTTP2). */
export function encodePercent(text: string): string {
  let encoded = "";
  for (const octet of encoder.encode(text)) {
    const isPlain = octet >= 0x20 && octet <= 0x7e && octet !== 0x25;
    encoded += isPlain ? String.fromCharCode(octet) : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** Never fails: broken escapes stay as they are. */
export function decodePercent(text: string): string {
  if (!text.includes("%")) return text;
  const octets: number[] = [];
  for (let place = 0; place < text.length; place++) {
    const escape = text.slice(place, place + 3);
    if (/^%[0-9a-fA-F]{2}$/.test(escape)) {
      octets.push(Number.parseInt(escape.slice(1), 16));
      place += 2;
    } else {
      octets.push(text.charCodeAt(place) & 0xff);
    }
  }
  return decoder.decode(Uint8Array.from(octets));
}
