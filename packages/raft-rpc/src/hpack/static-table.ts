/** RFC 7541 Appendix A: index 1 is the first pair. */
const pairs: readonly (readonly [name: string, value: string])[] = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language", ""],
  ["accept-ranges", ""],
  ["accept", ""],
  ["access-control-allow-origin", ""],
  ["age", ""],
  ["allow", ""],
  ["authorization", ""],
  ["cache-control", ""],
  ["content-disposition", ""],
  ["content-encoding", ""],
  ["content-language", ""],
  ["content-length", ""],
  ["content-location", ""],
  ["content-range", ""],
  ["content-type", ""],
  ["cookie", ""],
  ["date", ""],
  ["etag", ""],
  ["expect", ""],
  ["expires", ""],
  ["from", ""],
  ["host", ""],
  ["if-match", ""],
  ["if-modified-since", ""],
  ["if-none-match", ""],
  ["if-range", ""],
  ["if-unmodified-since", ""],
  ["last-modified", ""],
  ["link", ""],
  ["location", ""],
  ["max-forwards", ""],
  ["proxy-authenticate", ""],
  ["proxy-authorization", ""],
  ["range", ""],
  ["referer", ""],
  ["refresh", ""],
  ["retry-after", ""],
  ["server", ""],
  ["set-cookie", ""],
  ["strict-transport-security", ""],
  ["transfer-encoding", ""],
  ["user-agent", ""],
  ["vary", ""],
  ["via", ""],
  ["www-authenticate", ""],
];

export const staticCount = pairs.length;

/** By index; place 0 is unused. */
export const staticNames: readonly string[] = ["", ...pairs.map(([name]) => name)];
export const staticValues: readonly string[] = ["", ...pairs.map(([, value]) => value)];

const indexByName = new Map<string, number>();
const indexByPair = new Map<string, number>();
for (const [place, [name, value]] of pairs.entries()) {
  if (!indexByName.has(name)) indexByName.set(name, place + 1);
  indexByPair.set(`${name}\0${value}`, place + 1);
}

/** Index of the pair, or 0. */
export function staticPairIndex(name: string, value: string): number {
  return indexByPair.get(`${name}\0${value}`) ?? 0;
}

/** Lowest index with the name, or 0. */
export function staticNameIndex(name: string): number {
  return indexByName.get(name) ?? 0;
}
