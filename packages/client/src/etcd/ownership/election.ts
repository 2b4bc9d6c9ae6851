import type { KeyValue, RangeResponse } from "@raftkv/api";
import type { Bytes } from "../../bytes.ts";
import type { CallOptions } from "../../call-options.ts";
import { longestTimeoutMs } from "../../client-options.ts";
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
    for (;;) {
      const oldest = await this.#oldest({ ...options, timeoutMs: longestTimeoutMs }).catch((error: unknown) => {
        if (signal?.aborted === true) return null;
        throw error;
      });
      if (oldest === null) return;
      const { kvs, header } = oldest;
      const leader = kvs[0];
      const startRevision = header.revision + 1;
      if (leader === undefined) {
        await this.#candidate(startRevision, options);
      } else {
        yield leader;
        yield* this.#announcements(leader.key, startRevision, options);
      }
    }
  }

  #oldest(options: CallOptions): Promise<RangeResponse> {
    return this.#context.kv.range({ prefix: this.#prefix }, { ...options, sort: { by: "createRevision", order: "ascending" }, limit: 1 });
  }

  /** Somebody stands. */
  async #candidate(startRevision: number, options: Pick<CallOptions, "signal">): Promise<void> {
    for await (const { events } of this.#context.watch({ prefix: this.#prefix }, { ...options, startRevision, only: "puts" })) {
      if (events.length > 0) return;
    }
  }

  /** Until the leader's key is deleted. */
  async *#announcements(key: Uint8Array, startRevision: number, options: Pick<CallOptions, "signal">): AsyncGenerator<KeyValue, void> {
    for await (const { events } of this.#context.watch(key, { ...options, startRevision })) {
      for (const { type, kv } of events) {
        if (type === "delete") return;
        yield kv;
      }
    }
  }
}
