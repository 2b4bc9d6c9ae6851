import type { Bytes } from "../../bytes.ts";
import type { CallOptions } from "../../call-options.ts";
import { ClientError } from "../../client-error.ts";
import type { KvClient } from "../kv-client.ts";
import { compare } from "../txn/compare.ts";
import { operation } from "../txn/operation.ts";
import { ClaimedKey } from "./claimed-key.ts";
import type { Ownership, OwnershipOptions } from "./ownership.ts";
import type { QueueContext } from "./queue-context.ts";

/** An election that was won. As with a lock, the fencing token is what others can rely on. */
export class Leadership implements Ownership {
  readonly #kv: KvClient;
  readonly #claim: ClaimedKey;

  private constructor(kv: KvClient, claim: ClaimedKey) {
    this.#kv = kv;
    this.#claim = claim;
  }

  static async acquire(context: QueueContext, name: Bytes, value: Bytes, options: OwnershipOptions): Promise<Leadership> {
    return new Leadership(context.kv, await ClaimedKey.acquire(context, name, value, options));
  }

  get key(): Uint8Array {
    return this.#claim.key;
  }

  get leaseId(): bigint {
    return this.#claim.leaseId;
  }

  get fencingToken(): number {
    return this.#claim.fencingToken;
  }

  get signal(): AbortSignal {
    return this.#claim.signal;
  }

  /** Changes what the leader announces. Rejects with ERR_LEASE_LOST if this is not the leader any more. */
  async proclaim(value: Bytes, options?: CallOptions): Promise<void> {
    const { succeeded } = await this.#kv
      .txn()
      .compare(compare.createRevision(this.key, "=", this.fencingToken))
      .success(operation.put(this.key, value, { lease: this.leaseId }))
      .commit(options);
    if (!succeeded) throw new ClientError("ERR_LEASE_LOST", "This is not the leader any more");
  }

  /** Lets the next one lead. May be called again. Rejects with ClientError; then the lease ends it in its time. */
  resign(options?: CallOptions): Promise<void> {
    return this.#claim.release(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.resign();
  }
}
