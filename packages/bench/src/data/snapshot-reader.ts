import type { Channel, ClientStreamCall } from "@raftkv/raft-rpc";

const snapshotPath = "/etcdserverpb.Maintenance/Snapshot";
const emptyRequest = new Uint8Array(0);

/** Reads snapshots of a member's whole state through its API, one after the other, until it is told to stop. */
export class SnapshotReader {
  #bytes = 0;
  #snapshots = 0;
  #stopped = false;
  #failure: string | null = null;
  #call: ClientStreamCall | null = null;
  readonly #channel: Pick<Channel, "stream">;

  constructor(channel: Pick<Channel, "stream">) {
    this.#channel = channel;
    this.#readNext();
  }

  /** That came so far, of all snapshots. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Read to their end. */
  get snapshots(): number {
    return this.#snapshots;
  }

  /** What went wrong first, or null. */
  get failure(): string | null {
    return this.#failure;
  }

  stop(): void {
    this.#stopped = true;
    this.#call?.cancel();
  }

  #readNext(): void {
    this.#call = this.#channel.stream(snapshotPath, {
      onMetadata: () => undefined,
      onMessage: (message) => {
        this.#bytes += message.length;
      },
      onDrain: () => undefined,
      onClose: (error) => {
        if (this.#stopped) return;
        if (error !== null) {
          this.#failure ??= error.message;
          return;
        }
        this.#snapshots++;
        this.#readNext();
      },
    });
    this.#call.send(emptyRequest);
    this.#call.end();
  }
}
