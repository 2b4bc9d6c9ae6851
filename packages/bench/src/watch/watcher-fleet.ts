import { create, etcdserverpb, toBinary } from "@raftkv/api";
import { WatchConnection, type WatchConnectionHandlers } from "./watch-connection.ts";

const creationTimeoutMs = 30_000;

/** Many watchers on some connections, whose events are counted as they come. */
export class WatcherFleet {
  #connections: readonly WatchConnection[] = [];
  #failure: Error | null = null;
  /** What is waited for, and who waits. */
  #awaited: { readonly isThere: () => boolean; readonly wake: () => void } | null = null;

  /**
   * Opens connections to a port of this machine, each with one stream as etcd's clients have, and creates a watcher for each key, in turns
   * on each of them. Resolves when all are created.
   */
  static async open(port: number, connections: number, keys: readonly Uint8Array[]): Promise<WatcherFleet> {
    const fleet = new WatcherFleet();
    const handlers: WatchConnectionHandlers = {
      onProgress: () => fleet.#progressed(),
      onFailure: (error) => {
        fleet.#failure ??= error;
        fleet.#awaited?.wake();
      },
    };
    fleet.#connections = await Promise.all(Array.from({ length: connections }, () => WatchConnection.open(port, handlers)));
    try {
      for (const [place, key] of keys.entries()) fleet.#connections[place % connections]?.send(creation(key));
      await fleet.#until(() => fleet.#created === keys.length, creationTimeoutMs);
      if (fleet.#created < keys.length) throw new Error(`${fleet.#created} of ${keys.length} watchers were created`);
      return fleet;
    } catch (error) {
      fleet.close();
      throw error;
    }
  }

  /** That have come so far. */
  get events(): number {
    return this.#connections.reduce((sum, { scanner }) => sum + scanner.events, 0);
  }

  /** Resolves when `count` events have come in all, or `timeoutMs` is over. Rejects if a stream ended. */
  async waitForEvents(count: number, timeoutMs: number): Promise<void> {
    await this.#until(() => this.events >= count, timeoutMs);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  get #created(): number {
    return this.#connections.reduce((sum, { scanner }) => sum + scanner.created, 0);
  }

  #progressed(): void {
    if (this.#connections.some(({ scanner }) => scanner.canceled > 0)) this.#failure ??= new Error("A watcher was cancelled");
    if (this.#failure !== null || this.#awaited?.isThere() === true) this.#awaited?.wake();
  }

  async #until(isThere: () => boolean, timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      if (isThere() || this.#failure !== null) return resolve();
      const timer = setTimeout(resolve, timeoutMs);
      this.#awaited = {
        isThere,
        wake: () => {
          clearTimeout(timer);
          resolve();
        },
      };
    });
    this.#awaited = null;
    if (this.#failure !== null) throw this.#failure;
  }
}

function creation(key: Uint8Array): Uint8Array {
  const request = create(etcdserverpb.WatchRequestSchema, { requestUnion: { case: "createRequest", value: { key } } });
  return toBinary(etcdserverpb.WatchRequestSchema, request);
}
