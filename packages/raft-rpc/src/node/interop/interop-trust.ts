import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestAuthority, type TestCertificate } from "../testing/certificates.ts";

/** What a client and a server need to trust each other. Without a client's certificate the server asks for none. */
export interface InteropTrust {
  readonly authority: TestAuthority;
  readonly server: TestCertificate;
  readonly client: TestCertificate | null;
}

export const interopLinks = ["in plain text", "over TLS", "over TLS with certificates of both"] as const;
export type InteropLink = (typeof interopLinks)[number];

/** Why a link cannot be tried here, or null. */
export function missingForLink(link: InteropLink): string | null {
  const isPlain = link === "in plain text" || spawnSync("openssl", ["version"]).error === undefined;
  return isPlain ? null : "openssl, which makes the certificates, is not on the PATH";
}

/** An authority with a certificate for a server and one for a client, in a directory of their own. */
export class InteropCertificates {
  readonly #directory = mkdtempSync(join(tmpdir(), "raft-rpc-interop-"));
  #trust: InteropTrust | null = null;

  /** Null for plain text. */
  trust(link: InteropLink): InteropTrust | null {
    if (link === "in plain text") return null;
    this.#trust ??= this.#make();
    return { ...this.#trust, client: link === "over TLS" ? null : this.#trust.client };
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true });
  }

  #make(): InteropTrust {
    const authority = new TestAuthority(this.#directory, "authority");
    const server = authority.issue("server", { names: "DNS:localhost,IP:127.0.0.1" });
    return { authority, server, client: authority.issue("alice", { use: "clientAuth" }) };
  }
}
