import type { ByteStream, ByteStreamHandlers } from "../byte-stream.ts";
import type { RpcClock } from "../rpc-clock.ts";

export interface MemoryStreamOptions {
  readonly clock: RpcClock;
  /** `write` returns false while more than this is on its way. Default 64 KiB. */
  readonly highWaterBytes?: number;
  /** Cuts what is delivered: the length of the next piece, given what is there. Default: everything at once. */
  readonly cut?: (available: number) => number;
}

/** One end of a pipe in memory, with back-pressure like a socket's. Bytes arrive in a later turn. */
export class MemoryStream implements ByteStream {
  readonly remoteAddress: string;
  readonly #options: MemoryStreamOptions;
  #peer: MemoryStream | null = null;
  #handlers: ByteStreamHandlers | null = null;
  /** What the peer wrote and this end has not been given. */
  #incoming: Uint8Array[] = [];
  #incomingBytes = 0;
  #incomingEnded = false;
  #outgoingEnded = false;
  #paused = false;
  #deliveryScheduled = false;
  #peerWaits = false;
  #closed = false;

  private constructor(options: MemoryStreamOptions, remoteAddress: string) {
    this.#options = options;
    this.remoteAddress = remoteAddress;
  }

  static pair(options: MemoryStreamOptions): [MemoryStream, MemoryStream] {
    const client = new MemoryStream(options, "server:1");
    const server = new MemoryStream(options, "client:1");
    client.#peer = server;
    server.#peer = client;
    return [client, server];
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  setHandlers(handlers: ByteStreamHandlers): void {
    this.#handlers = handlers;
    this.#schedule();
  }

  write(bytes: Uint8Array): boolean {
    const peer = this.#peer;
    if (this.#closed || this.#outgoingEnded || peer === null || peer.#closed) return true;
    peer.#incoming.push(bytes);
    peer.#incomingBytes += bytes.length;
    peer.#schedule();
    if (peer.#incomingBytes <= (this.#options.highWaterBytes ?? 65_536)) return true;
    peer.#peerWaits = true;
    return false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  end(): void {
    if (this.#outgoingEnded) return;
    this.#outgoingEnded = true;
    const peer = this.#peer;
    if (peer === null || peer.#closed) return this.#close(null);
    peer.#incomingEnded = true;
    peer.#schedule();
  }

  destroy(): void {
    this.#close(null);
    this.#peer?.breakWith(new Error("Connection was reset"));
  }

  /** The connection breaks under this end. */
  breakWith(error: Error): void {
    this.#options.clock.atEndOfTurn(() => this.#close(error));
  }

  #schedule(): void {
    if (this.#deliveryScheduled || this.#paused || this.#closed || this.#handlers === null) return;
    if (this.#incomingBytes === 0 && !this.#incomingEnded) return;
    this.#deliveryScheduled = true;
    this.#options.clock.atEndOfTurn(() => this.#deliver());
  }

  #deliver(): void {
    this.#deliveryScheduled = false;
    if (this.#paused || this.#closed || this.#handlers === null) return;
    if (this.#incomingBytes > 0) {
      const bytes = this.#take();
      this.#handlers.onData(bytes);
      if (this.#peerWaits && this.#incomingBytes === 0) {
        this.#peerWaits = false;
        this.#options.clock.atEndOfTurn(() => this.#peer?.drained());
      }
    } else if (this.#incomingEnded) {
      // As a socket without half-open: the other side follows.
      this.#peer?.endAcknowledged();
      this.#close(null);
      return;
    }
    this.#schedule();
  }

  #take(): Uint8Array {
    const all = new Uint8Array(this.#incomingBytes);
    let at = 0;
    for (const piece of this.#incoming) {
      all.set(piece, at);
      at += piece.length;
    }
    const count = Math.min(all.length, Math.max(1, this.#options.cut?.(all.length) ?? all.length));
    this.#incoming = count < all.length ? [all.subarray(count)] : [];
    this.#incomingBytes = all.length - count;
    return all.slice(0, count);
  }

  drained(): void {
    if (!this.#closed) this.#handlers?.onDrain();
  }

  endAcknowledged(): void {
    this.#options.clock.atEndOfTurn(() => this.#close(null));
  }

  #close(error: Error | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handlers?.onClose(error);
  }
}
