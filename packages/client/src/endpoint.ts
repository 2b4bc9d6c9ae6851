/** Where a member answers clients. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** `host:port`, for people and to compare; an IPv6 host stands in brackets. */
  readonly address: string;
}

/** Most endpoints that one client may be given. */
export const endpointsMax = 64;

/** Reads `host:port` or `http://host:port`. Throws RangeError. */
export function parseEndpoint(text: string): Endpoint {
  const match = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(\[[0-9a-f:.]+\]|[^\s/:?#@[\]]+):(\d{1,5})\/?$/i.exec(text.trim());
  if (match === null) throw new RangeError(`Endpoint "${text}" is not host:port, give one like 127.0.0.1:2379`);
  const [, scheme = "http", hostText = "", portText = ""] = match;
  if (scheme.toLowerCase() !== "http") throw new RangeError(`Endpoint "${text}" uses ${scheme}, only http is supported so far`);
  const port = Number(portText);
  if (port < 1 || port > 65_535) throw new RangeError(`Endpoint "${text}" has port ${portText}, ports go from 1 to 65535`);
  return { host: hostText.replace(/^\[|\]$/g, ""), port, address: `${hostText.toLowerCase()}:${port}` };
}

/** Reads each, drops repetitions, keeps the order. Throws RangeError. */
export function parseEndpoints(texts: readonly string[]): readonly Endpoint[] {
  if (texts.length === 0) throw new RangeError("No endpoint is given, give at least one like 127.0.0.1:2379");
  if (texts.length > endpointsMax) throw new RangeError(`${texts.length} endpoints are more than the limit ${endpointsMax}`);
  const endpoints = new Map<string, Endpoint>();
  for (const text of texts) {
    const endpoint = parseEndpoint(text);
    if (!endpoints.has(endpoint.address)) endpoints.set(endpoint.address, endpoint);
  }
  return [...endpoints.values()];
}

/** The first of a member's client URLs that this client can use, null if there is none. */
export function usableEndpoint(clientUrls: readonly string[]): Endpoint | null {
  for (const url of clientUrls) {
    try {
      return parseEndpoint(url);
    } catch {
      // A member may also advertise https or unix addresses; the next one may do.
    }
  }
  return null;
}
