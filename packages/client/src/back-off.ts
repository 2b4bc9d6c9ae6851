import type { RpcRandom } from "@raftkv/raft-rpc";

const firstDelayMs = 20;
const delayMsMax = 1000;

/** How long a member is left alone after `failures` attempts in a row failed: 20 ms, doubled each time up to 1 s, of which half is chance. */
export function backOffMs(failures: number, random: RpcRandom): number {
  const delayMs = Math.min(delayMsMax, firstDelayMs * 2 ** Math.max(0, failures - 1));
  return delayMs / 2 + random.below(delayMs / 2 + 1);
}
