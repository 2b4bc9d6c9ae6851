/** Who the other end of a connection is, as its certificate says, which was verified in the handshake of TLS. */
export interface PeerIdentity {
  /** As one line in the order of the certificate: `O=Example, CN=alice`. */
  readonly subject: string;
  /** CN of the subject; null if it has none or several. */
  readonly commonName: string | null;
  /** Subject alternative names with their kind: `DNS:node-1.example`, `IP Address:10.0.0.1`, `URI:spiffe://example/node-1`. */
  readonly names: readonly string[];
  /** SHA-256 over the certificate: `AB:CD:...`. */
  readonly fingerprint256: string;
}
