import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { CertificateFiles } from "./peers/echo-server.ts";

/** A key and a certificate that it signed itself, for a day, in the directory. Null without the openssl program. */
export function makeCertificate(directory: string): CertificateFiles | null {
  const files = { certFile: join(directory, "server.pem"), keyFile: join(directory, "server.key") };
  const newKey = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=localhost"];
  try {
    execFileSync("openssl", ["req", ...newKey, "-keyout", files.keyFile, "-out", files.certFile], { stdio: "pipe" });
    return files;
  } catch {
    return null;
  }
}
