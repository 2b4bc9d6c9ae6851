import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpConfig } from "../config/client-port.ts";
import { sendText } from "./text-answer.ts";

const corsHeaders: readonly (readonly [string, string])[] = [
  ["Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE"],
  ["Access-Control-Allow-Headers", "accept, content-type, authorization"],
];

/** Which names this member may be called by, and which pages a browser lets call it: etcd's `--host-whitelist` and `--cors`. */
export class AccessControl {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  constructor({ hosts, corsOrigins }: Pick<HttpConfig, "hosts" | "corsOrigins">) {
    this.#hosts = new Set(hosts);
    this.#origins = new Set(corsOrigins);
  }

  /** True if the request may go on. Else it was answered: a strange host, or a browser's question beforehand. */
  admits(request: IncomingMessage, response: ServerResponse): boolean {
    const host = hostName(request.headers.host ?? "");
    if (!this.#hosts.has("*") && !this.#hosts.has(host)) {
      // Without this, a page whose name comes to point here could read everything (DNS rebinding, CVE-2018-5702).
      sendText(response, 421, `the Host header ${JSON.stringify(host)} is none of --host-whitelist\n`);
      return false;
    }
    const origin = this.#allowedOrigin(request.headers.origin);
    if (origin !== null) {
      for (const [name, value] of corsHeaders) response.setHeader(name, value);
      response.setHeader("Access-Control-Allow-Origin", origin);
    }
    if (request.method !== "OPTIONS") return true;
    response.end();
    return false;
  }

  #allowedOrigin(origin: string | undefined): string | null {
    if (this.#origins.has("*")) return "*";
    return origin !== undefined && this.#origins.has(origin) ? origin : null;
  }
}

/** Without the port; an IPv6 address without its brackets. */
function hostName(host: string): string {
  return host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
