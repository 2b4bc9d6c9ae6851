import { setFlagsFromString } from "node:v8";

/** What a member's process asks of V8. */
export const v8Flags = {
  /**
   * How much the heap grows between two full collections, in percent of what the last one left; V8's own rule grows it by 300 at most (decision
   * 0020). V8 counts the memory of typed arrays as growth of a heap that is small beside them here: the keys, and the newest entries of the log. By
   * its own rule it would collect the whole heap again and again in vain, four times a second under a heavy load of writes. Where a heap is
   * limited it still grows to half of what is left only.
   */
  rareFullCollections: "--heap-growing-percent=300",
  /**
   * How much bytecode of other functions one that is optimized may take in; V8's own limit is 920 (decision 0023). A request passes through many
   * small functions, each of them once.
   */
  moreInlining: "--max-inlined-bytecode-size-cumulative=3000",
} as const;

/** For a process that is a member's alone, before it has much to run. */
export function setV8Flags(): void {
  for (const flag of Object.values(v8Flags)) setFlagsFromString(flag);
}
