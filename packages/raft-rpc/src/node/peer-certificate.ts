import type { Socket } from "node:net";
import { type PeerCertificate, TLSSocket } from "node:tls";
import type { PeerIdentity } from "../peer-identity.ts";

/** One name of a list: a value that has a comma or a quote of its own stands in quotes, as JSON (Node.js since CVE-2021-44532). */
const namePattern = /([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g;

/** Who the other end of the socket is; null without TLS, without a certificate, or if nobody verified it. */
export function peerOf(socket: Socket): PeerIdentity | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
  const certificate = socket.getPeerCertificate();
  // Node's types leave out that an end without a certificate is an empty object.
  if (Object.keys(certificate).length === 0) return null;
  const { subject, subjectaltname = "", fingerprint256 } = certificate;
  return {
    subject: subjectLine(subject),
    commonName: typeof subject?.CN === "string" ? subject.CN : null,
    names: alternativeNames(subjectaltname),
    fingerprint256,
  };
}

/** `DNS:a.example, URI:"urn:a\\u002cb"` as a list. */
export function alternativeNames(list: string): readonly string[] {
  return [...list.matchAll(namePattern)].map(([, kind = "", value = ""]) => {
    return `${kind}:${value.startsWith('"') ? String(JSON.parse(value)) : value}`;
  });
}

function subjectLine(subject: PeerCertificate["subject"] | undefined): string {
  const parts = Object.entries(subject ?? {}).flatMap(([name, values]: [string, string | string[] | undefined]) =>
    [values ?? []].flat().map((value) => `${name}=${value}`),
  );
  return parts.join(", ");
}
