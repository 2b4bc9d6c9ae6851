import { type Disk, DiskError } from "@raftkv/raft-node";
import { hex16, type LogPosition } from "./format.ts";
import { LogStoreError } from "./log-store-error.ts";
import { META_NAME, META_TEMP_NAME } from "./meta-file.ts";
import { QUARANTINE_NAME, QUARANTINE_TEMP_NAME } from "./quarantine-file.ts";

/** Names within a data directory: `meta`, `quarantine`, `wal/<number>.wal`, `snap/<index>-<term>.snap`, `damaged/`, and temporary files. */
export class DataDirectory {
  readonly root: string;
  readonly wal: string;
  readonly snap: string;
  /** Files that were taken out of service. */
  readonly damaged: string;

  constructor(root: string) {
    this.root = root;
    this.wal = `${root}/wal`;
    this.snap = `${root}/snap`;
    this.damaged = `${root}/damaged`;
  }

  segment(number: number): string {
    return `${this.wal}/${hex16(number)}.wal`;
  }

  segmentTemp(nonce: string): string {
    return `${this.wal}/prep-${nonce}.tmp`;
  }

  snapshot(index: number, term: number): string {
    return `${this.snap}/${snapshotName(index, term)}`;
  }

  snapshotTemp(kind: "own" | "recv", index: number, term: number, nonce: string): string {
    return `${this.snap}/${kind}-${hex16(index)}-${hex16(term)}-${nonce}.tmp`;
  }
}

export function snapshotName(index: number, term: number): string {
  return `${hex16(index)}-${hex16(term)}.snap`;
}

/** The number in a segment's file name, null for another name. */
export function segmentNumberOf(name: string): number | null {
  return /^[0-9a-f]{16}\.wal$/.test(name) ? Number.parseInt(name.slice(0, 16), 16) : null;
}

/** The log position in a snapshot's file name, null for another name. */
export function snapshotPositionOf(name: string): LogPosition | null {
  if (!isSnapshotName(name)) return null;
  return { index: Number.parseInt(name.slice(0, 16), 16), term: Number.parseInt(name.slice(17, 33), 16) };
}

export function isSnapshotName(name: string): boolean {
  return /^[0-9a-f]{16}-[0-9a-f]{16}\.snap$/.test(name);
}

export function isTempName(name: string): boolean {
  return name.endsWith(".tmp");
}

/** Names in a directory, none if it is not there. */
export async function listIfThere(disk: Disk, path: string): Promise<readonly string[]> {
  try {
    return await disk.list(path);
  } catch (reason) {
    if (reason instanceof DiskError && reason.code === "not-found") return [];
    throw LogStoreError.from(reason, `list ${path}`);
  }
}

/** Throws `ERR_META_MISSING` if there are data but no meta file. Call only when there is no meta file. */
export async function checkNoData(disk: Disk, directory: DataDirectory): Promise<void> {
  const places: readonly { readonly path: string; readonly isData: (name: string) => boolean }[] = [
    { path: directory.wal, isData: (name) => segmentNumberOf(name) !== null },
    { path: directory.snap, isData: isSnapshotName },
    { path: directory.damaged, isData: (name) => !isTempName(name) },
    { path: directory.root, isData: (name) => name === QUARANTINE_NAME },
  ];
  for (const { path, isData } of places) {
    const data = (await listIfThere(disk, path)).find(isData);
    if (data === undefined) continue;
    throw new LogStoreError(
      "ERR_META_MISSING",
      `${directory.root}/${META_NAME} is missing but ${path}/${data} exists: term and vote are lost`,
    );
  }
}

/** Removes what a crash left unfinished. What stands in `damaged/` is left alone. */
export async function removeTemps(disk: Disk, directory: DataDirectory): Promise<void> {
  const names = await listIfThere(disk, directory.root);
  for (const temp of [META_TEMP_NAME, QUARANTINE_TEMP_NAME]) if (names.includes(temp)) await disk.remove(`${directory.root}/${temp}`);
  for (const path of [directory.wal, directory.snap]) {
    for (const name of await listIfThere(disk, path)) if (isTempName(name)) await disk.remove(`${path}/${name}`);
  }
}

/** Makes a directory and what is missing above it, durably. */
export async function makeDirectories(disk: Disk, path: string): Promise<void> {
  const parent = parentOf(path);
  try {
    await disk.makeDirectory(path);
  } catch (reason) {
    if (reason instanceof DiskError && reason.code === "exists") return syncParent(disk, parent);
    if (!(reason instanceof DiskError && reason.code === "not-found") || parent === path) throw reason;
    await makeDirectories(disk, parent);
    await disk.makeDirectory(path);
  }
  await syncParent(disk, parent);
}

function parentOf(path: string): string {
  const slash = path.replace(/\/+$/, "").lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}

/** A name that was made just before a crash may not be durable yet, so it is synced also where it exists. */
async function syncParent(disk: Disk, parent: string): Promise<void> {
  try {
    await disk.syncDirectory(parent);
  } catch (reason) {
    // A disk whose root is the data directory has no parent, and the parent of a mount point need not be readable.
    if (!(reason instanceof DiskError && (reason.code === "not-found" || reason.code === "permission"))) throw reason;
  }
}
