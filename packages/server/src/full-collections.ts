import { setFlagsFromString } from "node:v8";

/** How much the heap grows between two full collections, in percent of what the last one left. V8's own rule grows it by 300 at most. */
export const heapGrowthFlag = "--heap-growing-percent=300";

/**
 * Makes full collections of this process's heap rare (decision 0020). V8 counts the memory of typed arrays as growth of a heap that is
 * small beside them here: the keys, and the newest entries of the log. By its own rule it would collect the whole heap again and again
 * in vain, four times a second under a heavy load of writes. Where a heap is limited it still grows to half of what is left only.
 */
export function spaceFullCollections(): void {
  setFlagsFromString(heapGrowthFlag);
}
