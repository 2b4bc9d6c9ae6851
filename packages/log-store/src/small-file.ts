import type { Disk } from "@raftkv/raft-node";

/** The first `bytesMax` bytes of a file. Rejects with the disk's error. */
export async function readSmallFile(disk: Disk, path: string, bytesMax: number): Promise<Uint8Array> {
  const file = await disk.open(path, "read");
  try {
    return await file.read(0, bytesMax);
  } finally {
    await file.close();
  }
}

/**
 * Puts a file in place as a whole, durably: it is written under a temporary name, synced and renamed, and the directory is synced. A
 * crash leaves the file that was there before or the new one, and perhaps the temporary one, which must not exist when this is called.
 */
export async function replaceSmallFile(
  disk: Disk,
  directory: string,
  { name, tempName, bytes }: { readonly name: string; readonly tempName: string; readonly bytes: Uint8Array },
): Promise<void> {
  const temp = `${directory}/${tempName}`;
  const file = await disk.open(temp, "create");
  try {
    await file.write(0, [bytes]);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temp, `${directory}/${name}`);
  await disk.syncDirectory(directory);
}
