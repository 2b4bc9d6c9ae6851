import type { Clock, Connection, ConnectionHandlers } from "@raftkv/raft-node";

export interface MemoryConnectionOptions {
  readonly clock: Clock;
  /** Bytes that arrive in each direction; what is written beyond them waits for ever, as with a process that is stopped. */
  readonly bytesMax: number;
}

/** `write` returns false while more than this is on its way. */
const highWaterBytes = 64 * 1024;

/** One end of a connection in memory. What is written arrives at the end of the turn. */
export class MemoryConnection implements Connection {
  readonly remoteAddress: string;
  private readonly clock: Clock;
  private bytesLeft: number;
  private peer: MemoryConnection | null = null;
  private handlers: ConnectionHandlers | null = null;
  private incoming: Uint8Array[] = [];
  private incomingBytes = 0;
  private peerWaits = false;
  private isPaused = false;
  private isClosed = false;

  private constructor(remoteAddress: string, { clock, bytesMax }: MemoryConnectionOptions) {
    this.remoteAddress = remoteAddress;
    this.clock = clock;
    this.bytesLeft = bytesMax;
  }

  /** The end at `client` and the one at `server`. */
  static pair(client: string, server: string, options: MemoryConnectionOptions): readonly [MemoryConnection, MemoryConnection] {
    const near = new MemoryConnection(server, options);
    const far = new MemoryConnection(client, options);
    near.peer = far;
    far.peer = near;
    return [near, far];
  }

  setHandlers(handlers: ConnectionHandlers): void {
    this.handlers = handlers;
    this.scheduleDelivery();
  }

  write(bytes: Uint8Array): boolean {
    return this.isClosed || this.peer === null || this.peer.take(bytes);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.scheduleDelivery();
  }

  /** What was written before has left with the turn. */
  end(): void {
    this.clock.atEndOfTurn(() => this.clock.atEndOfTurn(() => this.closeBoth(null)));
  }

  destroy(): void {
    this.closeBoth(new Error("Connection was reset"));
  }

  /** The process at this end is gone: it hears nothing more. */
  abandon(): void {
    this.handlers = null;
    this.destroy();
  }

  /** The machine of this end is gone without a word: what the other end writes is lost. */
  vanish(): void {
    this.handlers = null;
    if (this.peer !== null) this.peer.peer = null;
    this.peer = null;
  }

  private take(bytes: Uint8Array): boolean {
    this.incoming.push(bytes);
    this.incomingBytes += bytes.length;
    this.scheduleDelivery();
    this.peerWaits = this.incomingBytes > highWaterBytes;
    return !this.peerWaits;
  }

  private scheduleDelivery(): void {
    this.clock.atEndOfTurn(() => this.deliver());
  }

  private deliver(): void {
    if (this.isPaused || this.isClosed || this.handlers === null || this.incomingBytes > this.bytesLeft) return;
    const { incoming } = this;
    this.incoming = [];
    this.bytesLeft -= this.incomingBytes;
    this.incomingBytes = 0;
    for (const bytes of incoming) this.handlers?.onData(bytes);
    if (!this.peerWaits) return;
    this.peerWaits = false;
    this.peer?.handlers?.onDrain();
  }

  private closeBoth(error: Error | null): void {
    this.close(null);
    this.clock.atEndOfTurn(() => this.peer?.close(error));
  }

  private close(error: Error | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.handlers?.onClose(error);
  }
}
