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

export interface SmallFile {
  readonly name: string;
  /** No file of this name may be there. */
  readonly tempName: string;
  readonly bytes: Uint8Array;
}

/** Puts a file in place as a whole, durably. A crash leaves the file that was there before or the new one, and perhaps the temporary one. */
export async function replaceSmallFile(disk: Disk, directory: string, file: SmallFile): Promise<void> {
  await placeSmallFile(disk, directory, file);
  await disk.syncDirectory(directory);
}

/** The same but for the name, which is durable when the caller has synced the directory. */
export async function placeSmallFile(disk: Disk, directory: string, { name, tempName, bytes }: SmallFile): Promise<void> {
  const temp = `${directory}/${tempName}`;
  const file = await disk.open(temp, "create");
  try {
    await file.write(0, [bytes]);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temp, `${directory}/${name}`);
}
