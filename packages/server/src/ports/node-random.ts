import { randomBytes, randomInt } from "node:crypto";
import type { Random } from "@raftkv/raft-node";

/** Chance from the operating system, fit for secrets. */
export class NodeRandom implements Random {
  below(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32) throw new RangeError(`Limit ${limit} is not in 1 to 2^32`);
    return randomInt(limit);
  }

  bytes(count: number): Uint8Array {
    return randomBytes(count);
  }
}
