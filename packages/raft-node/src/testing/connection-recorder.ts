import type { Connection, ConnectionHandlers } from "../ports.ts";

/** Handlers that write down what they are told and can be waited for. */
export class ConnectionRecorder implements ConnectionHandlers {
  readonly chunks: Uint8Array[] = [];
  drainsTotal = 0;
  /** One for each call of `onClose`, of which there may be one only. */
  readonly closes: (Error | null)[] = [];
  #waiting: { readonly isTrue: () => boolean; readonly resolve: () => void }[] = [];

  /** Sets itself as the handlers. */
  constructor(connection: Connection) {
    connection.setHandlers(this);
  }

  get bytes(): Uint8Array {
    const all = new Uint8Array(this.bytesTotal);
    let offset = 0;
    for (const chunk of this.chunks) {
      all.set(chunk, offset);
      offset += chunk.length;
    }
    return all;
  }

  get bytesTotal(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  onData(bytes: Uint8Array): void {
    this.chunks.push(bytes);
    this.#tell();
  }

  onDrain(): void {
    this.drainsTotal++;
    this.#tell();
  }

  onClose(error: Error | null): void {
    this.closes.push(error);
    this.#tell();
  }

  /** Resolves when `isTrue` holds after one of the calls. */
  until(isTrue: () => boolean): Promise<void> {
    if (isTrue()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ isTrue, resolve });
    });
  }

  untilText(text: string): Promise<void> {
    return this.until(() => this.text === text);
  }

  untilClosed(): Promise<void> {
    return this.until(() => this.closes.length > 0);
  }

  #tell(): void {
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ isTrue }) => !isTrue());
    for (const one of waiting) if (!this.#waiting.includes(one)) one.resolve();
  }
}
