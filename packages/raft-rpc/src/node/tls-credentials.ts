import { constants } from "node:crypto";
import type { SecureContextOptions } from "node:tls";

/** Text or bytes in PEM. */
export type Pem = string | Buffer;

/** What a server shows, and whom it asks to show something. */
export interface TlsServerCredentials {
  /** The server's certificate, then those that lead from it to an authority. */
  readonly cert: Pem;
  readonly key: Pem;
  /** Authorities of clients. With them every client has to show a certificate that they signed; without them nobody is asked. */
  readonly clientCa?: Pem;
  /** Certificates that the authorities took back. */
  readonly crl?: Pem;
}

/** Whom a client trusts, and what it shows if it is asked. */
export interface TlsClientCredentials {
  /** Authorities of servers. Default: those that Node.js brings along. */
  readonly ca?: Pem;
  readonly crl?: Pem;
  /** With `key`: the client's own certificate. */
  readonly cert?: Pem;
  readonly key?: Pem;
  /** The name that the server's certificate must have. Default: the host that is connected to. */
  readonly serverName?: string;
}

/** TLS 1.2 is the least that HTTP/2 may be spoken over (RFC 9113 9.2); of its ciphers only those with forward secrecy and AEAD. */
const common: SecureContextOptions = {
  minVersion: "TLSv1.2",
  ciphers: "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20",
};

/** TLS 1.2 lets a client ask for one handshake after another, each of which costs the server much more. */
const noRenegotiation = constants.SSL_OP_NO_RENEGOTIATION;

export function serverContext({ cert, key, clientCa, crl }: TlsServerCredentials): SecureContextOptions {
  return {
    ...common,
    cert,
    key,
    honorCipherOrder: true,
    ...(clientCa === undefined ? {} : { ca: clientCa }),
    // A session that is taken up again is not held against the list of revoked certificates.
    ...(crl === undefined ? {} : { crl }),
    secureOptions: crl === undefined ? noRenegotiation : noRenegotiation | constants.SSL_OP_NO_TICKET,
  };
}

export function clientContext({ ca, crl, cert, key }: TlsClientCredentials): SecureContextOptions {
  return {
    ...common,
    ...(ca === undefined ? {} : { ca }),
    ...(crl === undefined ? {} : { crl }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
