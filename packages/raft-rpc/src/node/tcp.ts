import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
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
export async function listenTcp(address: TcpAddress, onStream: (stream: SocketStream) => void): Promise<TcpListener> {
  // Half open: a client that ends its side at once gets its answers. `SocketStream` ends the other side, and reads when it has handlers.
  const server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (socket) => onStream(new SocketStream(socket)));
  const bound = await listening(server, address);
  return { address: { host: address.host, port: bound.port }, close: () => void server.close() };
}

/** Binds the address. Rejects with node's error. */
export function listening(server: Server, { host, port }: TcpAddress): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      // An accept that fails (no file descriptors) must not stop the process; the client sees its connection refused.
      server.on("error", () => undefined);
      resolve(server.address() as AddressInfo);
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
