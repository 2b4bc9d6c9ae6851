import type { Socket } from "node:net";
import { type ByteStreamHandlers, HandshakeError } from "../byte-stream.ts";
import { SocketStream } from "./socket-stream.ts";

/** Of the record that every TLS connection begins with (RFC 8446 5.1). */
const handshakeRecord = 0x16;

/** Who is told how a handshake ends: one of the two, once. */
export interface HandshakeOutcome {
  readonly onSecured: (secured: Socket) => void;
  readonly onFailed: (error: HandshakeError) => void;
}

export interface TlsServerStreamOptions {
  /** Makes a handshake on the socket, whose first bytes are to be read again. */
  readonly startHandshake: (socket: Socket, outcome: HandshakeOutcome) => void;
  /** The client does not begin as TLS does. */
  readonly onOtherProtocol: (error: Error) => void;
}

/**
 * The server's end of a TLS connection, from the moment when it was accepted: whoever gets it decides when its handshake begins, by reading.
 * A client that is silent costs no more than without TLS, and one that speaks anything else is cut off by its first octet.
 *
 *   accepted --setHandlers--> hello --first octet--> handshake --> secured: what comes is handed out
 *                               +-- another octet: closed  +-- failed: closed
 */
export class TlsServerStream extends SocketStream {
  readonly #options: TlsServerStreamOptions;
  #phase: "hello" | "handshake" | "secured" = "hello";
  /** Of the owner, while the first octet and the handshake are none of its business. */
  #handlers: ByteStreamHandlers | null = null;

  constructor(socket: Socket, options: TlsServerStreamOptions) {
    super(socket);
    this.#options = options;
  }

  override setHandlers(handlers: ByteStreamHandlers): void {
    if (this.#phase === "secured") return super.setHandlers(handlers);
    const isFirst = this.#handlers === null;
    this.#handlers = handlers;
    if (!isFirst) return;
    super.setHandlers({
      onData: (bytes) => this.#hello(bytes),
      onDrain: () => undefined,
      onClose: (error) => this.#handlers?.onClose(error),
    });
  }

  #hello(bytes: Uint8Array): void {
    if (bytes[0] !== handshakeRecord) {
      const error = new HandshakeError(`First octet is ${bytes[0]}, that of TLS is ${handshakeRecord}`);
      this.#options.onOtherProtocol(error);
      return this.#fail(error);
    }
    this.#phase = "handshake";
    this.#options.startHandshake(this.release(bytes), {
      onSecured: (secured) => this.#secured(secured),
      onFailed: (error) => this.#handlers?.onClose(error),
    });
  }

  #fail(error: HandshakeError): void {
    this.release(new Uint8Array(0)).destroy();
    this.#handlers?.onClose(error);
  }

  #secured(secured: Socket): void {
    this.#phase = "secured";
    this.replaceSocket(secured);
    if (this.#handlers !== null) super.setHandlers(this.#handlers);
  }
}
