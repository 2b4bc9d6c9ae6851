import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate and its key, in files and in memory. */
export interface TestCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface IssueOptions {
  /** `DNS:localhost,IP:127.0.0.1`. Default: none. */
  readonly names?: string;
  /** Relative to now. Default: valid for a day from now. */
  readonly days?: number;
  readonly use?: "serverAuth" | "clientAuth";
}

/** A certificate authority in a directory, by the openssl program. Keys are P-256. */
export class TestAuthority {
  readonly #directory: string;
  readonly #name: string;
  readonly caFile: string;
  readonly ca: Buffer;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
    this.caFile = this.#path(`${name}.pem`);
    this.#openssl("req", "-x509", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.pem`, "-days", "2", "-subj", `/CN=${name}`);
    writeFileSync(
      this.#path(`${name}.cnf`),
      `[ca]\ndefault_ca=d\n[d]\ndatabase=${name}.index\ndefault_md=sha256\ndefault_crl_days=2\ncrlnumber=${name}.number\n`,
    );
    writeFileSync(this.#path(`${name}.index`), "");
    writeFileSync(this.#path(`${name}.number`), "01\n");
    this.ca = readFileSync(this.caFile);
  }

  issue(subject: string, { names, days = 1, use = "serverAuth" }: IssueOptions = {}): TestCertificate {
    const base = `${this.#name}-${subject}`;
    const extensions = [`extendedKeyUsage=${use}`, ...(names === undefined ? [] : [`subjectAltName=${names}`])];
    writeFileSync(this.#path(`${base}.ext`), extensions.join("\n"));
    this.#openssl("req", ...newKey, "-keyout", `${base}.key`, "-out", `${base}.csr`, "-subj", `/CN=${subject}`);
    const authority = ["-CA", `${this.#name}.pem`, "-CAkey", `${this.#name}.key`, "-CAcreateserial"];
    this.#openssl(
      "x509",
      "-req",
      "-in",
      `${base}.csr`,
      "-out",
      `${base}.pem`,
      ...authority,
      "-days",
      String(days),
      "-extfile",
      `${base}.ext`,
    );
    const [certFile, keyFile] = [this.#path(`${base}.pem`), this.#path(`${base}.key`)];
    return { certFile, keyFile, cert: readFileSync(certFile), key: readFileSync(keyFile) };
  }

  /** The list of revoked certificates, with this one on it. */
  revoke({ certFile }: TestCertificate): Buffer {
    const config = ["-config", `${this.#name}.cnf`, "-keyfile", `${this.#name}.key`, "-cert", `${this.#name}.pem`];
    this.#openssl("ca", ...config, "-revoke", certFile);
    this.#openssl("ca", ...config, "-gencrl", "-out", `${this.#name}.crl`);
    return readFileSync(this.#path(`${this.#name}.crl`));
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }

  #openssl(...args: string[]): void {
    execFileSync("openssl", args, { cwd: this.#directory, stdio: "pipe" });
  }
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
