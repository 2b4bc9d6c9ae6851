import { createServer, isIP } from "node:net";
import { checkServerIdentity, connect, createSecureContext, createServer as createSecureServer } from "node:tls";
import { addressOf, Handshakes } from "./handshakes.ts";
import { SocketStream } from "./socket-stream.ts";
import { listening, type TcpAddress, type TcpListener } from "./tcp.ts";
import { clientContext, serverContext, type TlsClientCredentials, type TlsServerCredentials } from "./tls-credentials.ts";

const handshakesMaxDefault = 64;
const handshakeTimeoutMsDefault = 10_000;

export interface TlsListenOptions {
  readonly credentials: TlsServerCredentials;
  /** A connection whose handshake succeeded. With ALPN `http/1.1` or without ALPN its first bytes tell what it speaks. */
  readonly onStream: (stream: SocketStream) => void;
  /** Is there room for a connection from this address (`host:port`)? Asked before its handshake: `RpcServer.admits`. Default: always. */
  readonly admits?: (remoteAddress: string) => boolean;
  /** A handshake failed, or was refused because too many are under way; one that makes room for another also fails. Default: nobody is told. */
  readonly onHandshakeError?: (remoteAddress: string, error: Error) => void;
  /** Handshakes at a time, since one costs much more than the first bytes of one; no origin's keep out another's. Default 64. */
  readonly handshakesMax?: number;
  /** From the first to the last byte of a handshake. Default 10 s. */
  readonly handshakeTimeoutMs?: number;
}

export interface TlsListener extends TcpListener {
  /**
   * Uses other credentials for connections to come; those that are open keep theirs. Throws node's error if they can't be used, and
   * keeps the old ones. Whether clients have to show a certificate can't be changed.
   */
  setCredentials(credentials: TlsServerCredentials): void;
}

/** Listens with TLS 1.2 or 1.3. Rejects with node's error if the address cannot be bound or the credentials can't be used. */
export async function listenTls(address: TcpAddress, options: TlsListenOptions): Promise<TlsListener> {
  const { credentials, onStream, admits = () => true, onHandshakeError = () => undefined } = options;
  const { handshakesMax = handshakesMaxDefault, handshakeTimeoutMs = handshakeTimeoutMsDefault } = options;
  if (!(handshakesMax > 0)) throw new RangeError(`handshakesMax is ${handshakesMax}, it must be above 0`);
  if (!(handshakeTimeoutMs > 0)) throw new RangeError(`handshakeTimeoutMs is ${handshakeTimeoutMs}, it must be above 0`);
  const asksForCertificate = credentials.clientCa !== undefined;
  const handshakes = new Handshakes(handshakesMax, onHandshakeError);
  const secure = createSecureServer(
    {
      ...serverContext(credentials),
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: handshakeTimeoutMs,
      requestCert: asksForCertificate,
      rejectUnauthorized: asksForCertificate,
    },
    (socket) => {
      handshakes.ended(socket);
      onStream(new SocketStream(socket));
    },
  );
  secure.on("tlsClientError", (error, socket) => onHandshakeError(addressOf(socket), error));
  const server = createServer({ noDelay: true }, (socket) => {
    if (!admits(addressOf(socket))) socket.destroy();
    else if (handshakes.begin(socket)) secure.emit("connection", socket);
  });
  const bound = await listening(server, address);
  return {
    address: { host: address.host, port: bound.port },
    close: () => void server.close(),
    setCredentials(replacement) {
      if ((replacement.clientCa !== undefined) !== asksForCertificate) {
        const have = asksForCertificate ? "have" : "don't have";
        throw new RangeError(`Clients ${have} to show a certificate, which can't be changed while the server listens`);
      }
      const context = serverContext(replacement);
      // Made here first, so that credentials that don't fit leave the old ones in use.
      createSecureContext(context);
      secure.setSecureContext(context);
    },
  };
}

/**
 * Connects with TLS 1.2 or 1.3 and ALPN `h2`. Rejects with node's error, if the server's certificate is not trusted or not of its name, if
 * it does not choose `h2` (RFC 9113 3.3), or when the handshake is not done within `timeoutMs`.
 */
export function connectTls(address: TcpAddress, credentials: TlsClientCredentials, timeoutMs: number): Promise<SocketStream> {
  const { host, port } = address;
  const { serverName = host } = credentials;
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...clientContext(credentials),
      host,
      port,
      ALPNProtocols: ["h2"],
      checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
      // An address is no name to send (RFC 6066 3).
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    });
    const timer = setTimeout(() => socket.destroy(new Error(`${host}:${port} did not answer in ${timeoutMs} ms`)), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once("error", fail);
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      if (socket.alpnProtocol !== "h2") {
        socket.destroy();
        reject(new Error(`${host}:${port} does not speak HTTP/2: it chose ${socket.alpnProtocol || "nothing"} by ALPN`));
        return;
      }
      socket.off("error", fail);
      resolve(new SocketStream(socket));
    });
  });
}
