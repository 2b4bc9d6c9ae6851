import { createServer, isIP } from "node:net";
import { checkServerIdentity, connect, createSecureContext, createServer as createSecureServer } from "node:tls";
import { checkLimit, type Rate } from "../limits.ts";
import { Handshakes } from "./handshakes.ts";
import { addressOf, SocketStream } from "./socket-stream.ts";
import { SystemClock } from "./system-clock.ts";
import { listening, type TcpAddress, type TcpListener } from "./tcp.ts";
import { clientContext, serverContext, type TlsClientCredentials, type TlsServerCredentials } from "./tls-credentials.ts";
import { TlsServerStream, type TlsServerStreamOptions } from "./tls-server-stream.ts";

const handshakesMaxDefault = 64;
const handshakeTimeoutMsDefault = 10_000;
const handshakeRateDefault: Rate = { burst: 64, perSecond: 10 };

export interface TlsListenOptions {
  readonly credentials: TlsServerCredentials;
  /**
   * A connection that was accepted. Its handshake begins when it has handlers and is not paused; one that fails closes it. With ALPN
   * `http/1.1` or without ALPN its first bytes tell what it speaks.
   */
  readonly onStream: (stream: TlsServerStream) => void;
  /** A handshake failed, or made room for another because too many are under way: told once. Default: nobody is told. */
  readonly onHandshakeError?: (remoteAddress: string, error: Error) => void;
  /** Handshakes at a time, since one costs much more than the first bytes of one. Default 64. */
  readonly handshakesMax?: number;
  /**
   * Handshakes of one address, or one IPv6 network of 64 bits, that come to nothing, of which a byte within TLS is the least: above it those
   * from there wait, and the newest begins as soon as the rate allows one more. Default 64, then 10 a second.
   */
  readonly handshakeRate?: Rate;
  /** From the first to the last byte of a handshake; its owner's time for the first bytes runs besides. Default 10 s. */
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
  const { credentials, onStream, onHandshakeError = () => undefined } = options;
  const { handshakesMax = handshakesMaxDefault, handshakeTimeoutMs = handshakeTimeoutMsDefault } = options;
  const { handshakeRate = handshakeRateDefault } = options;
  if (!(handshakesMax >= 1)) throw new RangeError(`handshakesMax is ${handshakesMax}, it must be 1 or above`);
  if (!(handshakeTimeoutMs > 0)) throw new RangeError(`handshakeTimeoutMs is ${handshakeTimeoutMs}, it must be above 0`);
  checkLimit("handshakeRate", handshakeRate);
  const asksForCertificate = credentials.clientCa !== undefined;
  const handshakes = new Handshakes({
    clock: new SystemClock(),
    max: handshakesMax,
    rate: handshakeRate,
    start: (socket) => void secure.emit("connection", socket),
    onFailed: onHandshakeError,
  });
  const secure = createSecureServer(
    {
      ...serverContext(credentials),
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: handshakeTimeoutMs,
      requestCert: asksForCertificate,
      rejectUnauthorized: asksForCertificate,
    },
    (socket) => {
      // As of plain connections (`listenTcp`), but not before: who leaves a handshake has left.
      socket.allowHalfOpen = true;
      handshakes.ended(socket);
    },
  );
  secure.on("tlsClientError", (error, socket) => handshakes.failed(socket, error));
  const startHandshake: TlsServerStreamOptions["startHandshake"] = (socket, outcome) => handshakes.begin(socket, outcome);
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    const remoteAddress = addressOf(socket);
    onStream(new TlsServerStream(socket, { startHandshake, onOtherProtocol: (error) => onHandshakeError(remoteAddress, error) }));
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
