import type { KeyValue, RangeResponse } from "@raftkv/api";
import type { Bytes } from "../../bytes.ts";
import type { CallOptions } from "../../call-options.ts";
import { longestTimeoutMs } from "../../client-options.ts";
import { WatchCompactedError } from "../watch/watch-compacted-error.ts";
import type { WatchOptions } from "../watch/watch-types.ts";
import { Leadership } from "./leadership.ts";
import type { OwnershipOptions } from "./ownership.ts";
import type { QueueContext } from "./queue-context.ts";
import { queuePrefix } from "./waiting-line.ts";

/** Candidates stand in a line; the one at its front leads, and announces a value. */
export class Election {
  readonly #context: QueueContext;
  readonly #name: Bytes;
  readonly #prefix: Uint8Array;

  constructor(context: QueueContext, name: Bytes) {
    this.#context = context;
    this.#name = name;
    this.#prefix = queuePrefix(name);
  }

  /** Resolves when this candidate leads. Rejects with ClientError; then it is no candidate any more. */
  campaign(value: Bytes, options: OwnershipOptions = {}): Promise<Leadership> {
    return Leadership.acquire(this.#context, this.#name, value, options);
  }

  /** The leader's key with what it announces, null while nobody leads. */
  async leader(options: CallOptions = {}): Promise<KeyValue | null> {
    const { kvs } = await this.#oldest(options);
    return kvs[0] ?? null;
  }

  /** The leader, then each that follows, and each value that it announces. Waits while nobody leads. Throws ClientError; ends with the signal. */
  async *observe({ signal }: Pick<CallOptions, "signal"> = {}): AsyncGenerator<KeyValue, void> {
    const options = signal === undefined ? {} : { signal };
    let told: KeyValue | null = null;
    for (;;) {
      try {
        for await (const announcement of this.#announcements(options)) {
          if (told !== null && isSame(told, announcement)) continue;
          told = announcement;
          yield announcement;
        }
      } catch (error) {
        if (signal?.aborted === true) return;
        // The next look at the keys tells where things stand.
        if (!(error instanceof WatchCompactedError)) throw error;
      }
      if (signal?.aborted === true) return;
    }
  }

  /** Of the leader of now, until it leads no more; nothing if nobody leads, until somebody stands. */
  async *#announcements(options: Pick<CallOptions, "signal">): AsyncGenerator<KeyValue, void> {
    const { kvs, header } = await this.#oldest({ ...options, timeoutMs: longestTimeoutMs });
    const [leader] = kvs;
    const from = { ...options, startRevision: header.revision + 1 };
    if (leader === undefined) {
      await this.#candidate(from);
      return;
    }
    yield leader;
    for await (const { events } of this.#context.watch(leader.key, from)) {
      for (const { type, kv } of events) {
        if (type === "delete") return;
        yield kv;
      }
    }
  }

  #oldest(options: CallOptions): Promise<RangeResponse> {
    return this.#context.kv.range({ prefix: this.#prefix }, { ...options, sort: { by: "createRevision", order: "ascending" }, limit: 1 });
  }

  /** Somebody stands. */
  async #candidate(from: WatchOptions): Promise<void> {
    for await (const { events } of this.#context.watch({ prefix: this.#prefix }, { ...from, only: "puts" })) {
      if (events.length > 0) return;
    }
  }
}

/** Of the same leader, with nothing new in it. */
function isSame(one: KeyValue, other: KeyValue): boolean {
  return one.createRevision === other.createRevision && one.modRevision === other.modRevision;
}
