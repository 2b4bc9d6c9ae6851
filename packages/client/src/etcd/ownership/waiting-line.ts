import type { KeyValue, ResponseHeader } from "@raftkv/api";
import { type Bytes, toBytes } from "../../bytes.ts";
import type { CallOptions } from "../../call-options.ts";
import { ClientError } from "../../client-error.ts";
import { longestTimeoutMs } from "../../client-options.ts";
import type { KvClient } from "../kv-client.ts";
import { compare } from "../txn/compare.ts";
import { operation } from "../txn/operation.ts";
import { deletionOf } from "./key-deletion.ts";
import type { QueueContext } from "./queue-context.ts";

const slash = 0x2f;

/** `<name>/`, under which everybody who waits has a key. */
export function queuePrefix(name: Bytes): Uint8Array {
  const bytes = toBytes(name);
  const prefix = new Uint8Array(bytes.length + 1);
  prefix.set(bytes);
  prefix[bytes.length] = slash;
  return prefix;
}

/** A key in the line. */
export interface JoinedLine {
  readonly key: Uint8Array;
  readonly leaseId: bigint;
  readonly createRevision: number;
  /** Of the owner when it joined: its own if it is the one. */
  readonly ownerRevision: number;
  readonly header: ResponseHeader;
}

/** Everybody who waits for one name. */
export class WaitingLine {
  readonly #context: QueueContext;
  readonly #prefix: Uint8Array;
  /** Only the signal ends a call: the line may be long. */
  readonly #options: CallOptions;

  readonly #signal: AbortSignal;

  constructor(context: QueueContext, prefix: Uint8Array, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
    this.#prefix = prefix;
    this.#options = { signal, timeoutMs: longestTimeoutMs };
  }

  /** Puts the key, if the same lease has none in the line yet: then that one is it, with the new value. */
  async join(leaseId: bigint, value: Bytes): Promise<JoinedLine> {
    const key = concatenated(this.#prefix, toBytes(leaseId.toString(16)));
    const owner = operation.range({ prefix: this.#prefix }, { sort: { by: "createRevision", order: "ascending" }, limit: 1 });
    const result = await this.#context.kv
      .txn()
      .compare(compare.missing(key))
      .success(operation.put(key, value, { lease: leaseId }), owner)
      .failure(operation.get(key), owner)
      // The second time the key is there, and is only read.
      .commit({ ...this.#options, idempotent: true });
    const createRevision = result.succeeded ? result.header.revision : (result.responses[0]?.createRevision ?? 0);
    const ownerRevision = result.responses[1].kvs[0]?.createRevision ?? createRevision;
    if (!result.succeeded) await this.#update(key, createRevision, value, result.responses[0]);
    return { key, leaseId, createRevision, ownerRevision, header: result.header };
  }

  /** Resolves when nobody is before it, to the header of the read that said so. */
  async wait(place: JoinedLine): Promise<ResponseHeader> {
    if (place.ownerRevision === place.createRevision) return place.header;
    for (;;) {
      const before = await this.#context.kv.range(
        { prefix: this.#prefix },
        { ...this.#options, maxCreateRevision: place.createRevision - 1, sort: { by: "createRevision", order: "descending" }, limit: 1 },
      );
      const last = before.kvs[0];
      if (last === undefined) return this.#checkThere(place);
      await deletionOf(this.#context, { ...last, revision: before.header.revision }, this.#signal);
    }
  }

  async #update(key: Uint8Array, createRevision: number, value: Bytes, stored: KeyValue | null): Promise<void> {
    if (stored === null || nameOf(stored.value) === nameOf(toBytes(value))) return;
    const put = operation.put(key, value, { lease: stored.lease });
    await this.#context.kv
      .txn()
      .compare(compare.createRevision(key, "=", createRevision))
      .success(put)
      .commit(this.#options);
  }

  /** The own key may have gone with its lease meanwhile. */
  async #checkThere({ key, createRevision }: JoinedLine): Promise<ResponseHeader> {
    const { kvs, header } = await this.#context.kv.range(key, this.#options);
    if (kvs[0]?.createRevision === createRevision) return header;
    throw new ClientError("ERR_LEASE_LOST", `Key ${nameOf(key)} was gone when its turn came`);
  }
}

/** Deletes the key, unless it is another by now. */
export async function leaveLine(kv: KvClient, key: Uint8Array, createRevision: number, options: CallOptions = {}): Promise<void> {
  const gone = kv
    .txn()
    .compare(compare.createRevision(key, "=", createRevision))
    .success(operation.delete(key));
  await gone.commit({ ...options, idempotent: true });
}

function concatenated(prefix: Uint8Array, rest: Uint8Array): Uint8Array {
  const whole = new Uint8Array(prefix.length + rest.length);
  whole.set(prefix);
  whole.set(rest, prefix.length);
  return whole;
}

const decoder = new TextDecoder();

export function nameOf(key: Uint8Array): string {
  return decoder.decode(key);
}
