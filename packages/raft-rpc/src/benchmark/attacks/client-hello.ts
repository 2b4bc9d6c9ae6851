import { Duplex } from "node:stream";
import { connect } from "node:tls";

/** What a client of this Node.js says first in TLS: a whole ClientHello, which a server answers with a signature and a key of its own. */
export function clientHello(): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write(bytes: Uint8Array, _encoding, done) {
        resolve(bytes);
        done();
      },
    });
    connect({ socket: wire, servername: "localhost", ALPNProtocols: ["h2"] });
  });
}
