import { endpointsMax } from "./endpoint.ts";

/** Where a client looks that is not told where: etcd's port on this machine. */
export const defaultTarget = "127.0.0.1:2379";
const defaultPort = 2379;
const scheme = /^raftkv:\/\//i;

/**
 * Reads `raftkv://host:port,host:port`, or the same without the scheme, or a list of such parts. A part without a port has etcd's, 2379. Each
 * may also be `http://host:port`. Throws RangeError.
 */
export function readEndpointList(target: string | readonly string[]): readonly string[] {
  const texts = typeof target === "string" ? [target] : target;
  const parts = texts.flatMap((text) =>
    text
      .trim()
      .replace(scheme, "")
      .replace(/(?<!\/)\/$/, "")
      .split(","),
  );
  if (parts.length > endpointsMax) throw new RangeError(`${parts.length} endpoints are more than the limit ${endpointsMax}`);
  return parts.map((part) => withPort(part.trim()));
}

function withPort(part: string): string {
  return /^(\[[0-9a-f:.]+\]|[^\s/:?#@[\]]+)$/i.test(part) ? `${part}:${defaultPort}` : part;
}
