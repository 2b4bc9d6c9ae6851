import type { Bytes } from "../../bytes.ts";
import type { CallOptions } from "../../call-options.ts";
import { ClaimedKey } from "./claimed-key.ts";
import type { Ownership, OwnershipOptions } from "./ownership.ts";
import type { QueueContext } from "./queue-context.ts";

/**
 * A lock that is held. What it protects must check the fencing token, or hold on to `signal`: no lock can stop a process that sleeps while
 * its lease ends.
 */
export class HeldLock implements Ownership {
  readonly #claim: ClaimedKey;

  private constructor(claim: ClaimedKey) {
    this.#claim = claim;
  }

  static async acquire(context: QueueContext, name: Bytes, options: OwnershipOptions): Promise<HeldLock> {
    return new HeldLock(await ClaimedKey.acquire(context, name, "", options));
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

  /** Lets the next one in. May be called again. Rejects with ClientError; then the lease ends it in its time. */
  unlock(options?: CallOptions): Promise<void> {
    return this.#claim.release(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.unlock();
  }
}
