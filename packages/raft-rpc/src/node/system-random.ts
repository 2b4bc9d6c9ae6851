import { randomFillSync } from "node:crypto";
import type { RpcRandom } from "../rpc-clock.ts";

const word = new Uint32Array(1);

/** The chance of this machine; for limits up to 2^20 its bias is below 2^-12. */
export class SystemRandom implements RpcRandom {
  below(limit: number): number {
    randomFillSync(word);
    return Math.floor(((word[0] ?? 0) / 2 ** 32) * limit);
  }
}
