import type { Socket } from "node:net";
import { Readable } from "node:stream";
import type { ByteStream, ByteStreamHandlers } from "../byte-stream.ts";
import type { PeerIdentity } from "../peer-identity.ts";
import { peerOf } from "./peer-certificate.ts";

/** `host:port` of the other end. */
export function addressOf({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? "unknown" : `${remoteAddress}:${remotePort}`;
}

/** A ByteStream on a socket of node:net or node:tls. Reads nothing before it has handlers, if the socket was accepted with `pauseOnConnect`. */
export class SocketStream implements ByteStream {
  readonly remoteAddress: string;
  #socket: Socket;
  #peer: PeerIdentity | null = null;
  #handlers: ByteStreamHandlers | null = null;
  #isPaused = false;
  #error: Error | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.remoteAddress = addressOf(socket);
    this.#attach();
  }

  get peer(): PeerIdentity | null {
    return this.#peer;
  }

  /** A socket counts what it was given until the kernel, or OpenSSL, has a copy of it. */
  get holdsWritten(): boolean {
    return this.#socket.writableLength > 0;
  }

  setHandlers(handlers: ByteStreamHandlers): void {
    this.#handlers = handlers;
    if (!this.#isPaused) this.#socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    // After the end or an error nothing leaves; `onClose` tells.
    if (this.#socket.writableEnded || this.#socket.destroyed) return true;
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /**
   * Gives the socket back, for a protocol that is not ours: without our listeners, paused, with `firstBytes` to be read again. The new
   * owner adds its listeners (`http.Server.emit("connection", socket)`) and resumes it in the same turn.
   */
  release(firstBytes: Uint8Array): Socket {
    const socket = this.#socket;
    socket.pause();
    Reflect.deleteProperty(socket, "push");
    socket.off("data", this.#onData);
    socket.off("drain", this.#onDrain);
    socket.off("end", this.#onEnd);
    socket.off("error", this.#onError);
    socket.off("close", this.#onClose);
    this.#handlers = null;
    if (firstBytes.length > 0) socket.unshift(firstBytes);
    return socket;
  }

  /** Goes on with another socket, which took the place of the one that was released; `setHandlers` follows. */
  protected replaceSocket(socket: Socket): void {
    this.#socket = socket;
    this.#attach();
    if (this.#isPaused) socket.pause();
  }

  #attach(): void {
    const socket = this.#socket;
    this.#peer = peerOf(socket);
    socket.setNoDelay(true);
    this.#readPastBuffer(socket);
    socket.on("data", this.#onData);
    socket.on("drain", this.#onDrain);
    socket.on("end", this.#onEnd);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
  }

  /**
   * Takes what was read without the buffer of the socket's readable side between, which needs as much of the processor as a small message.
   * What comes while the socket is paused, has something buffered or has other listeners goes there, as ever, and follows as `data`.
   */
  #readPastBuffer(socket: Socket): void {
    socket.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
      const isNext = chunk !== null && socket.readableFlowing === true && socket.readableLength === 0;
      if (!isNext || socket.listenerCount("data") > 1) return Readable.prototype.push.call(socket, chunk, encoding);
      this.#onData(chunk);
      return true;
    };
  }

  readonly #onData = (chunk: Buffer): void => {
    // A plain Uint8Array: views of it are cheaper than views of a Buffer.
    this.#handlers?.onData(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
  };

  readonly #onDrain = (): void => {
    this.#handlers?.onDrain();
  };

  /** The peer sends no more. What this turn answers still leaves; nobody waits for what comes later. */
  readonly #onEnd = (): void => {
    setImmediate(() => this.#socket.end());
  };

  readonly #onError = (error: Error): void => {
    this.#error = error;
  };

  readonly #onClose = (): void => {
    this.#handlers?.onClose(this.#error);
    this.#handlers = null;
  };
}
