import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { type DirectoryLock, type Disk, DiskError, type DiskFile } from "@raftkv/raft-node";
import { diskError, onDisk } from "./disk-error.ts";
import { neverReopen, type Reopen, reopenDurably } from "./durable-handle.ts";
import { lockName, takeDirectoryLock } from "./node-directory-lock.ts";
import { NodeFile } from "./node-file.ts";

/** Never through a symbolic link: who could place one in the directory could lead us anywhere. */
const openFlags = {
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
  read: constants.O_RDONLY | constants.O_NOFOLLOW,
  write: constants.O_RDWR | constants.O_NOFOLLOW,
} as const;

/** Files and directories of this machine, by node:fs. Its calls share libuv's thread pool and never block the event loop. */
export class NodeDisk implements Disk {
  readonly #reopen: Reopen;

  /** `reopen`: how a file gets its descriptor for durable writes. Default: with O_DSYNC, where that does. */
  constructor(reopen: Reopen = reopenDurably) {
    this.#reopen = reopen;
  }

  async makeDirectory(path: string): Promise<void> {
    await onDisk("make directory", path, mkdir(path, { mode: 0o700 }));
  }

  /** Without the name that `lock` uses. */
  async list(path: string): Promise<readonly string[]> {
    const names = await onDisk("list", path, readdir(path));
    return names.filter((name) => name !== lockName).sort();
  }

  async open(path: string, mode: "create" | "read" | "write"): Promise<DiskFile> {
    const handle = await onDisk("open", path, open(path, openFlags[mode], 0o600));
    try {
      await checkOurs(handle, path);
    } catch (reason) {
      await handle.close();
      throw diskError(reason, "open", path);
    }
    return new NodeFile(handle, path, mode === "read" ? neverReopen : this.#reopen);
  }

  async rename(from: string, to: string): Promise<void> {
    await onDisk("rename", from, rename(from, to));
  }

  async remove(path: string): Promise<void> {
    await onDisk("remove", path, unlink(path));
  }

  async syncDirectory(path: string): Promise<void> {
    const handle = await onDisk("open", path, open(path, constants.O_RDONLY | constants.O_DIRECTORY));
    try {
      await onDisk("sync directory", path, handle.sync());
    } finally {
      await handle.close();
    }
  }

  lock(directory: string): Promise<DirectoryLock> {
    return takeDirectoryLock(directory);
  }
}

/** A file that others may read or write, or that has a second name somewhere, is not ours alone: refused. */
async function checkOurs(handle: FileHandle, path: string): Promise<void> {
  const { mode, nlink, uid, isFile } = await statOf(handle);
  if (!isFile) throw new DiskError("io", path, `${path} is not a regular file`);
  if ((mode & 0o077) !== 0) throw new DiskError("permission", path, `${path} has mode ${(mode & 0o777).toString(8)}, it must be 600`);
  if (nlink !== 1) throw new DiskError("permission", path, `${path} has ${nlink} names, it must have one`);
  const user = process.geteuid?.();
  if (user !== undefined && uid !== user) throw new DiskError("permission", path, `${path} belongs to user ${uid}, not to ${user}`);
}

async function statOf(handle: FileHandle): Promise<{ mode: number; nlink: number; uid: number; isFile: boolean }> {
  const status = await handle.stat();
  return { mode: status.mode, nlink: status.nlink, uid: status.uid, isFile: status.isFile() };
}
