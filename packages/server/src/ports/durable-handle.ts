import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { DiskError } from "@raftkv/raft-node";

/** Gives a second descriptor of an open file whose writes are durable when they return, or null where there is none. */
export type Reopen = (handle: FileHandle, path: string) => Promise<FileHandle | null>;

/**
 * A descriptor with O_DSYNC (open(2), "synchronized I/O data integrity completion"): a write to it is one call where write and fdatasync
 * are two, each with a way to the thread pool and back. It is opened through /proc, which leads to the file itself, whatever its name is
 * by now. Linux alone: O_DSYNC of macOS leaves bytes in the drive's cache, where libuv's fdatasync asks for F_FULLFSYNC. Null, too, if
 * the system refuses, as without /proc or with no descriptor left: what is lost is time.
 */
export async function reopenDurably(handle: FileHandle, path: string): Promise<FileHandle | null> {
  if (process.platform !== "linux") return null;
  let durable: FileHandle;
  try {
    durable = await open(`/proc/self/fd/${handle.fd}`, constants.O_WRONLY | constants.O_DSYNC);
  } catch {
    return null;
  }
  try {
    const [one, other] = await Promise.all([handle.stat({ bigint: true }), durable.stat({ bigint: true })]);
    if (one.dev === other.dev && one.ino === other.ino) return durable;
    throw new DiskError("io", path, `Cannot open ${path} once more: /proc leads from file ${one.ino} to file ${other.ino}`);
  } catch (reason) {
    await durable.close();
    throw reason;
  }
}

/** For files that are only read, and where O_DSYNC does not do. */
export const neverReopen: Reopen = () => Promise.resolve(null);
