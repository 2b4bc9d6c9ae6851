import { create, etcdserverpb, fromBinary, mvccpb } from "@raftkv/api";
import { type KeyValue, keySpanOf, type Watcher, type WatchHub, type WatchReceiver } from "@raftkv/kvstore";
import type { ServiceContext } from "../service-context.ts";
import type { LockQueue } from "./lock-queue.ts";

/** Who leads, as of a revision. */
export interface ObservedLeader {
  readonly revision: number;
  readonly kv: mvccpb.KeyValue;
}

export interface ElectionObservationOptions {
  readonly context: Pick<ServiceContext, "state">;
  readonly queue: Pick<LockQueue, "owner" | "queueChange">;
  readonly hub: Pick<WatchHub, "watch" | "cancel" | "resume">;
  readonly name: Uint8Array;
  readonly signal: AbortSignal;
}

/**
 * The leaders of an election and their values, one after the other: the oldest candidate, then what happens to its key until it is gone,
 * then the next oldest. A slow observer misses nothing that is not compacted: it is led through the store's history.
 */
export class ElectionObservation {
  private readonly options: ElectionObservationOptions;

  constructor(options: ElectionObservationOptions) {
    this.options = options;
  }

  /** Ends when the signal aborts. */
  async *leaders(): AsyncGenerator<ObservedLeader> {
    const { context, queue, hub, name, signal } = this.options;
    while (!signal.aborted) {
      const owner = queue.owner(name);
      if (owner === null) {
        await queue.queueChange(name, signal);
        continue;
      }
      // Before anything is awaited, so that no change is missed.
      const follower = new KeyFollower(hub, owner.key, signal);
      try {
        yield { revision: context.state.store.revision, kv: keyValueMessage(owner) };
        yield* follower.values();
      } finally {
        follower.stop();
      }
    }
  }
}

/** The values of one key from now on, until it is deleted. */
class KeyFollower implements WatchReceiver {
  /** What was delivered is taken; while it is not, the hub keeps the rest back. */
  isReady = true;
  private readonly hub: ElectionObservationOptions["hub"];
  private readonly signal: AbortSignal;
  private readonly watcher: Watcher;
  private delivered: readonly Uint8Array[] | null = null;
  private isOvertaken = false;
  private wake: () => void = () => {};
  private readonly wakeOnAbort = (): void => this.wake();

  constructor(hub: ElectionObservationOptions["hub"], key: Uint8Array, signal: AbortSignal) {
    const span = keySpanOf(key, new Uint8Array(0));
    if (span === null) throw new Error("A span of one key is empty");
    this.hub = hub;
    this.signal = signal;
    this.watcher = hub.watch({ span, startRevision: 0 }, this);
    signal.addEventListener("abort", this.wakeOnAbort);
  }

  deliver(_watcher: Watcher, _revision: number, events: readonly Uint8Array[]): void {
    this.delivered = [...events];
    this.isReady = false;
    this.wake();
  }

  /** The observer looks anew who leads. */
  overtaken(): void {
    this.isOvertaken = true;
    this.wake();
  }

  async *values(): AsyncGenerator<ObservedLeader> {
    for (;;) {
      const events = await this.next();
      if (events === null) return;
      for (const { type, kv } of events) {
        if (type === mvccpb.Event_EventType.DELETE || kv === undefined) return;
        yield { revision: Number(kv.modRevision), kv };
      }
    }
  }

  stop(): void {
    this.signal.removeEventListener("abort", this.wakeOnAbort);
    this.hub.cancel(this.watcher);
  }

  /** Null if there will be none. */
  private async next(): Promise<readonly mvccpb.Event[] | null> {
    while (this.delivered === null && !this.isOvertaken && !this.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const { delivered } = this;
    if (delivered === null || this.signal.aborted) return null;
    this.delivered = null;
    this.isReady = true;
    this.hub.resume(this);
    // The hub has each event encoded as an element of a WatchResponse.
    return fromBinary(etcdserverpb.WatchResponseSchema, Buffer.concat(delivered)).events;
  }
}

/** A record as the message of an answer. */
export function keyValueMessage({ key, value, createRevision, modRevision, version, lease }: KeyValue): mvccpb.KeyValue {
  const numbers = { createRevision: BigInt(createRevision), modRevision: BigInt(modRevision), version: BigInt(version) };
  return create(mvccpb.KeyValueSchema, { key, value, lease, ...numbers });
}
