import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
/** Collects what nobody holds, so that what is left is held. */
const collectGarbage = runInNewContext("gc") as () => void;

/** Memory of this thread that is held: objects, and bytes outside of the heap. */
export function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  // `external` includes the array buffers.
  return heapUsed + external;
}

/** What `attack` returns, and by how much the memory that is held grew until then. */
export function grownBytes<T>(attack: () => T): { readonly result: T; readonly bytes: number } {
  const before = heldBytes();
  const result = attack();
  return { result, bytes: heldBytes() - before };
}

export function printGrowth(what: string, bytes: number): void {
  process.stdout.write(`${what}: ${(bytes / 1024).toFixed(0)} KiB more are held\n`);
}
