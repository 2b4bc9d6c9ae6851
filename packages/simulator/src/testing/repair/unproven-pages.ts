import type { SimulatedDisk } from "../../disk/simulated-disk.ts";
import { walDirectory } from "./damage-target.ts";
import { pageStarts } from "./page-starts.ts";

/**
 * Whether a page of a segment belongs to a batch of which nothing on the disk says that it was durable. The member stopped within
 * milliseconds of it, and zeros in it pass for a write that never reached the disk: the one kind of damage that no store can see.
 */
export function isUnproven(disk: SimulatedDisk, path: string, offset: number): boolean {
  const starts = disk.directoryAt(walDirectory).sortedNames.flatMap((name) => pageStarts(disk, `${walDirectory}/${name}`));
  const proven = starts.reduce((highest, { durableSeq }) => (durableSeq > highest ? durableSeq : highest), 0n);
  const batch = pageStarts(disk, path, offset).at(-1);
  return batch !== undefined && batch.seq > proven && !batch.isSeal;
}
