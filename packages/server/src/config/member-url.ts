import { isIP } from "node:net";
import { ConfigError } from "./config-error.ts";

/** An `http://host:port` address of a member. */
export interface MemberUrl {
  readonly host: string;
  readonly port: number;
  /** As it is shown and compared: `http://host:port`. */
  readonly href: string;
}

/** Parses one URL of the option `source`. Throws ConfigError. */
export function parseMemberUrl(text: string, source: string): MemberUrl {
  const match = /^(https?|unixs?):\/\/(\[[0-9a-fA-F:.]+\]|[^/:?#[\]]+)?(?::(\d+))?(\/.*)?$/.exec(text);
  if (match === null) throw new ConfigError(`${source}: "${text}" is not a URL, give one like http://127.0.0.1:2379`);
  const [, scheme = "", hostText = "", portText = "", path = ""] = match;
  if (scheme !== "http") throw new ConfigError(`${source}: "${text}" uses ${scheme}, only http is supported so far`);
  if (hostText === "") throw new ConfigError(`${source}: "${text}" names no host, give one like http://127.0.0.1:2379`);
  if (portText === "") throw new ConfigError(`${source}: "${text}" has no port, give one like http://${hostText}:2379`);
  const port = Number(portText);
  if (port < 1 || port > 65_535) throw new ConfigError(`${source}: "${text}" has port ${portText}, ports go from 1 to 65535`);
  if (path !== "" && path !== "/") throw new ConfigError(`${source}: "${text}" has a path, only scheme, host and port are allowed`);
  const host = hostText.replace(/^\[|\]$/g, "");
  return { host, port, href: `http://${hostText}:${port}` };
}

/** A comma-separated list, at least one, without repetition. Throws ConfigError. */
export function parseMemberUrls(text: string, source: string): readonly MemberUrl[] {
  const urls = text.split(",").map((item) => parseMemberUrl(item.trim(), source));
  const seen = new Set<string>();
  for (const { href } of urls) {
    if (seen.has(href)) throw new ConfigError(`${source}: ${href} is given twice`);
    seen.add(href);
  }
  return urls;
}

/** As etcd: a listener binds an IP address or localhost, never a name that something else resolves. Throws ConfigError. */
export function checkListenUrls(urls: readonly MemberUrl[], source: string): void {
  for (const { host, href } of urls) {
    if (host !== "localhost" && isIP(host) === 0) {
      throw new ConfigError(`${source}: ${href} names the host "${host}", a listener needs an IP address or localhost`);
    }
  }
}
