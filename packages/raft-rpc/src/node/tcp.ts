import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { SocketStream } from "./socket-stream.ts";

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

export interface TcpListener {
  /** With the port that was bound, if port 0 was asked. */
  readonly address: TcpAddress;
  /** Accepts nothing more; connections stay. */
  close(): void;
}

/** Listens, and hands out each connection as a stream. Rejects with node's error if the address cannot be bound. */
export function listenTcp(address: TcpAddress, onStream: (stream: SocketStream) => void): Promise<TcpListener> {
  return new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true }, (socket) => onStream(new SocketStream(socket)));
    server.once("error", reject);
    server.listen(address.port, address.host, () => {
      server.off("error", reject);
      // An accept that fails (no file descriptors) must not stop the process; the client sees its connection refused.
      server.on("error", () => undefined);
      const bound = server.address() as AddressInfo;
      resolve({ address: { host: address.host, port: bound.port }, close: () => void server.close() });
    });
  });
}

/** Connects. Rejects with node's error, or when nobody answers within `timeoutMs`. */
export function connectTcp(address: TcpAddress, timeoutMs: number): Promise<SocketStream> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host: address.host, port: address.port, noDelay: true });
    const timer = setTimeout(
      () => socket.destroy(new Error(`${address.host}:${address.port} did not answer in ${timeoutMs} ms`)),
      timeoutMs,
    );
    const onError = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once("error", onError);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      resolve(new SocketStream(socket));
    });
  });
}
