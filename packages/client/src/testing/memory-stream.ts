import type { ByteStream, ByteStreamHandlers, RpcClock } from "@raftkv/raft-rpc";

/** One end of a connection in memory. Bytes arrive at the end of the turn in which they were written, in order. */
export class MemoryStream implements ByteStream {
  readonly remoteAddress: string;
  readonly #clock: RpcClock;
  #other: MemoryStream | null = null;
  #handlers: ByteStreamHandlers | null = null;
  #waiting: Uint8Array[] = [];
  #paused = false;
  #ended = false;
  #closed = false;

  private constructor(remoteAddress: string, clock: RpcClock) {
    this.remoteAddress = remoteAddress;
    this.#clock = clock;
  }

  /** The two ends: what one writes the other reads. */
  static pair(clock: RpcClock, address: string): readonly [client: MemoryStream, server: MemoryStream] {
    const client = new MemoryStream(address, clock);
    const server = new MemoryStream("client:1", clock);
    client.#other = server;
    server.#other = client;
    return [client, server];
  }

  setHandlers(handlers: ByteStreamHandlers): void {
    this.#handlers = handlers;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended || this.#closed) return true;
    this.#clock.atEndOfTurn(() => {
      if (this.#other !== null) this.#other.#receive(bytes);
    });
    return true;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const bytes of waiting) this.#receive(bytes);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clock.atEndOfTurn(() => this.destroy());
  }

  destroy(): void {
    this.cut(null);
  }

  /** The connection breaks: both ends see it at the end of the turn. */
  cut(error: Error | null): void {
    for (const end of [this, this.#other]) {
      if (end === null || end.#closed) continue;
      end.#closed = true;
      this.#clock.atEndOfTurn(() => {
        if (end.#handlers !== null) end.#handlers.onClose(error);
      });
    }
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#paused) this.#waiting.push(bytes);
    else if (this.#handlers !== null) this.#handlers.onData(bytes);
  }
}
