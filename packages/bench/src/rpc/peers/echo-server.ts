/** Paths of PEM files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** One implementation under test, serving the echo service on a port of 127.0.0.1. */
export interface EchoServer {
  readonly port: number;
  /** Unary calls and messages of streams that were answered. */
  readonly answered: number;
}

/** `certificate`: with TLS. */
export type StartEchoServer = (certificate: CertificateFiles | null) => Promise<EchoServer>;

export const host = "127.0.0.1";
