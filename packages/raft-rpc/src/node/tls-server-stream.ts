import type { Socket } from "node:net";
import { type ByteStreamHandlers, HandshakeError } from "../byte-stream.ts";
import { SocketStream } from "./socket-stream.ts";

/** The record that every TLS connection begins with: its type, version and length (RFC 8446 5.1). */
const handshakeRecord = 0x16;
const recordHeaderBytes = 5;
const recordBytesMax = 16_384 + 256;

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
 * A client that does not send its first record whole costs no more than without TLS, and one that speaks anything else is cut off by its
 * first octet.
 *
 *   accepted --setHandlers--> hello --first record--> handshake --> secured: what comes is handed out
 *                               +-- no record: closed       +-- failed: closed
 */
export class TlsServerStream extends SocketStream {
  readonly #options: TlsServerStreamOptions;
  #phase: "hello" | "handshake" | "secured" = "hello";
  #received: Uint8Array = new Uint8Array(0);
  /** Of the owner, while the first record and the handshake are none of its business. */
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
      onClose: (error) => this.#handlers?.onClose(this.#received.length === 0 ? error : new HandshakeError("First record is not whole")),
    });
  }

  #hello(bytes: Uint8Array): void {
    // A few octets at most came before a chunk that is whole.
    this.#received = Buffer.concat([this.#received, bytes]);
    const [type, , , lengthHigh = 0, lengthLow = 0] = this.#received;
    if (type !== handshakeRecord) return this.#noTls(`First octet is ${type}, that of TLS is ${handshakeRecord}`);
    if (this.#received.length < recordHeaderBytes) return;
    const recordBytes = (lengthHigh << 8) | lengthLow;
    if (recordBytes > recordBytesMax) return this.#noTls(`First record has ${recordBytes} octets, more than TLS allows`);
    if (this.#received.length < recordHeaderBytes + recordBytes) return;
    this.#phase = "handshake";
    this.#options.startHandshake(this.release(this.#received), {
      onSecured: (secured) => this.#secured(secured),
      onFailed: (error) => this.#handlers?.onClose(error),
    });
  }

  #noTls(reason: string): void {
    const error = new HandshakeError(reason);
    this.#options.onOtherProtocol(error);
    this.#fail(error);
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
