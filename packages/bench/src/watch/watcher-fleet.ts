import { create, etcdserverpb, fromBinary, toBinary } from "@raftkv/api";
import type { Channel, ClientStreamCall } from "@raftkv/raft-rpc";
import { countEvents } from "./event-count.ts";

const watchPath = "/etcdserverpb.Watch/Watch";
const creationTimeoutMs = 30_000;

/** Many watchers on some streams, whose events are counted as they come. */
export class WatcherFleet {
  #events = 0;
  #created = 0;
  #failure: Error | null = null;
  #calls: ClientStreamCall[] = [];
  /** What is waited for, and who waits. */
  #awaited: { readonly isThere: () => boolean; readonly wake: () => void } | null = null;

  /** Opens one stream on each channel, and creates a watcher for each key there. Resolves when all are created. */
  static async open(channels: readonly Pick<Channel, "stream">[], keys: readonly Uint8Array[]): Promise<WatcherFleet> {
    const fleet = new WatcherFleet();
    fleet.#calls = channels.map((channel) => fleet.#openStream(channel));
    for (const [place, key] of keys.entries()) fleet.#calls[place % channels.length]?.send(creation(key));
    await fleet.#until(() => fleet.#created === keys.length, creationTimeoutMs);
    return fleet;
  }

  /** That have come so far. */
  get events(): number {
    return this.#events;
  }

  /** Resolves when `count` events have come in all, or `timeoutMs` is over. Rejects if a stream ended. */
  async waitForEvents(count: number, timeoutMs: number): Promise<void> {
    await this.#until(() => this.#events >= count, timeoutMs);
  }

  close(): void {
    for (const call of this.#calls) call.cancel();
  }

  #openStream(channel: Pick<Channel, "stream">): ClientStreamCall {
    return channel.stream(watchPath, {
      onMetadata: () => undefined,
      onMessage: (response) => this.#take(response),
      onDrain: () => undefined,
      onClose: (error) => {
        this.#failure ??= new Error(error === null ? "A watch stream ended" : `A watch stream ended: ${error.message}`);
        this.#awaited?.wake();
      },
    });
  }

  #take(response: Uint8Array): void {
    const events = countEvents(response);
    if (events === 0) this.#takeNotice(fromBinary(etcdserverpb.WatchResponseSchema, response));
    this.#events += events;
    if (this.#awaited?.isThere() === true) this.#awaited.wake();
  }

  #takeNotice({ created, canceled, cancelReason }: etcdserverpb.WatchResponse): void {
    if (canceled) this.#failure ??= new Error(`A watcher was cancelled: ${cancelReason || "its revision is compacted"}`);
    else if (created) this.#created++;
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
