import { type DirectoryLock, type Disk, DiskError, type DiskFile } from "@raftkv/raft-node";
import { isZero, roundUp, SECTOR_BYTES } from "../format.ts";

export interface DiskCall {
  readonly name:
    | "makeDirectory"
    | "list"
    | "open"
    | "rename"
    | "remove"
    | "syncDirectory"
    | "lock"
    | "sizeBytes"
    | "read"
    | "write"
    | "truncate"
    | "sync"
    | "writeDurably";
  readonly path: string;
  /** From 1 up over the life of the disk. */
  readonly number: number;
}

/** What a file holds now, and what is certain to survive. */
class Inode {
  bytes = new Uint8Array(0);
  durable = new Uint8Array(0);
  readonly dirtySectors = new Set<number>();
  /** The arrays may be those of other files as well: they are copied before they change, so that disks are cheap to copy. */
  #isShared = false;

  /** A file that holds `bytes`, durably; `bytes` stays as it is. */
  static of(bytes: Uint8Array<ArrayBuffer>): Inode {
    const inode = new Inode();
    inode.bytes = bytes;
    inode.durable = bytes;
    inode.#isShared = true;
    return inode;
  }

  #own(): void {
    if (!this.#isShared) return;
    this.#isShared = false;
    this.bytes = this.bytes.slice();
    this.durable = this.durable.slice();
  }

  /** Whether the sector reads otherwise if it survives. A hole reads as zeros, so that of zeros beyond the end only the size counts. */
  #differs(sector: number): boolean {
    const [from, to] = [sector * SECTOR_BYTES, Math.min((sector + 1) * SECTOR_BYTES, this.bytes.length)];
    if (from >= this.durable.length) return !isZero(this.bytes, from, to);
    return Buffer.compare(this.bytes.subarray(from, to), this.durable.subarray(from, to)) !== 0;
  }

  resize(sizeBytes: number): void {
    this.#own();
    const grown = new Uint8Array(sizeBytes);
    grown.set(this.bytes.subarray(0, sizeBytes));
    this.bytes = grown;
  }

  write(offset: number, chunks: readonly Uint8Array[]): void {
    this.#own();
    let at = offset;
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      if (at + chunk.length > this.bytes.length) this.resize(at + chunk.length);
      this.bytes.set(chunk, at);
      for (const sector of sectorsOf(at, at + chunk.length)) this.dirtySectors.add(sector);
      at += chunk.length;
    }
  }

  sync(): void {
    this.#own();
    if (this.durable.length !== this.bytes.length) this.durable = this.bytes.slice();
    for (const sector of this.dirtySectors) {
      const at = sector * SECTOR_BYTES;
      if (at < this.bytes.length) this.durable.set(this.bytes.subarray(at, at + SECTOR_BYTES), at);
    }
    this.dirtySectors.clear();
  }

  /** Makes the sectors from `offset` to `end` durable, and a size that holds them; nothing else. */
  syncRange(offset: number, end: number): void {
    this.#own();
    const sizeBytes = Math.min(roundUp(end, SECTOR_BYTES), this.bytes.length);
    if (this.durable.length < sizeBytes) {
      const grown = new Uint8Array(sizeBytes);
      grown.set(this.durable);
      this.durable = grown;
    }
    for (const sector of sectorsOf(offset, end)) {
      const from = sector * SECTOR_BYTES;
      this.durable.set(this.bytes.subarray(from, from + SECTOR_BYTES).subarray(0, this.durable.length - from), from);
      this.dirtySectors.delete(sector);
    }
  }

  /** The file as it is found if each unsynced sector, and the size, survives as `survives` says. */
  afterPowerLoss(survives: () => boolean): Inode {
    if (this.dirtySectors.size === 0 && this.bytes.length === this.durable.length) {
      this.#isShared = true;
      return Inode.of(this.durable);
    }
    const kept = [...this.dirtySectors].filter((sector) => this.#differs(sector) && survives());
    const end = kept.reduce((highest, sector) => Math.max(highest, Math.min((sector + 1) * SECTOR_BYTES, this.bytes.length)), 0);
    const sizeWithout = Math.max(this.durable.length, end);
    const sizeBytes = this.bytes.length !== sizeWithout && survives() ? this.bytes.length : sizeWithout;
    const left = new Uint8Array(sizeBytes);
    left.set(this.durable.subarray(0, sizeBytes));
    for (const sector of kept) left.set(this.bytes.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES), sector * SECTOR_BYTES);
    return Inode.of(left);
  }
}

/** Numbers of the sectors that bytes from `offset` to `end` touch; none for no bytes. */
function sectorsOf(offset: number, end: number): readonly number[] {
  const first = Math.floor(offset / SECTOR_BYTES);
  return end > offset ? Array.from({ length: Math.ceil(end / SECTOR_BYTES) - first }, (_, at) => first + at) : [];
}

type Node = Inode | "directory";
type NameChange =
  | { readonly kind: "link"; readonly path: string; readonly node: Node }
  | { readonly kind: "unlink"; readonly path: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string; readonly node: Node };

/**
 * A disk in memory that knows what a power loss may take: every unsynced 512-byte sector and every name that was changed since the
 * last sync of its directory survives or not, each by itself.
 */
export class MemoryDisk implements Disk {
  /** Called before each call; what it throws the call rejects with, what it returns is awaited. */
  before: (call: DiskCall) => Promise<void> | void = () => {};
  /** Breaks the promise of every sync, to show that tests notice. */
  ignoresSyncs = false;
  /** A write that would make the files larger than this together finds no space. */
  capacityBytes = Infinity;
  callCount = 0;
  readonly counts: Record<DiskCall["name"], number> = {
    makeDirectory: 0,
    list: 0,
    open: 0,
    rename: 0,
    remove: 0,
    syncDirectory: 0,
    lock: 0,
    sizeBytes: 0,
    read: 0,
    write: 0,
    truncate: 0,
    sync: 0,
    writeDurably: 0,
  };
  #names = new Map<string, Node>();
  #durableNames = new Map<string, Node>();
  #journal: NameChange[] = [];
  readonly #locks = new Set<string>();
  #crashAt = Infinity;
  #openFiles = 0;

  /** Files that are open now. */
  get openFiles(): number {
    return this.#openFiles;
  }

  /** Sizes of all files together. */
  get usedBytes(): number {
    return [...new Set(this.#names.values())].reduce((sum, node) => sum + (node === "directory" ? 0 : node.bytes.length), 0);
  }

  /** The call of this number fails, and all after it, as if the process had ended within it. */
  crashAtCall(number: number): void {
    this.#crashAt = number;
  }

  get crashed(): boolean {
    return this.callCount >= this.#crashAt;
  }

  /** The disk after a power loss. `survives` is asked for every sector and name that is not synced. */
  afterPowerLoss(survives: () => boolean): MemoryDisk {
    const names = new Map(this.#durableNames);
    for (const change of this.#journal) if (survives()) apply(names, change);
    const disk = new MemoryDisk();
    const copies = new Map<Inode, Inode>();
    for (const [path, node] of names) {
      const copy = node === "directory" ? node : (copies.get(node) ?? node.afterPowerLoss(survives));
      if (node !== "directory" && copy !== "directory") copies.set(node, copy);
      disk.#names.set(path, copy);
      disk.#durableNames.set(path, copy);
    }
    return disk;
  }

  /** The disk after the process was killed: what was written is there. */
  afterKill(): MemoryDisk {
    return this.afterPowerLoss(() => true);
  }

  /** Files below `directory`, sorted. */
  files(directory = ""): readonly string[] {
    return [...this.#names].flatMap(([path, node]) => (node !== "directory" && path.startsWith(directory) ? [path] : [])).sort();
  }

  /** A copy of what a file holds. */
  peek(path: string): Uint8Array {
    return this.#inode(path).bytes.slice();
  }

  /** Replaces what a file holds, durably, as a fault would. */
  poke(path: string, bytes: Uint8Array): void {
    const inode = Inode.of(bytes.slice());
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  /** Loses a name, durably. */
  lose(path: string): void {
    this.#names.delete(path);
    this.#durableNames.delete(path);
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#call("makeDirectory", path, () => {
      if (this.#names.has(path)) throw new DiskError("exists", path, `${path} exists`);
      this.#checkDirectory(parentOf(path), path);
      this.#change({ kind: "link", path, node: "directory" });
    });
  }

  async list(path: string): Promise<readonly string[]> {
    await this.#call("list", path, () => {});
    this.#checkDirectory(path, path);
    return [...this.#names.keys()]
      .filter((name) => parentOf(name) === path)
      .map((name) => name.slice(path.length + 1))
      .sort();
  }

  async open(path: string, mode: "create" | "read" | "write"): Promise<DiskFile> {
    await this.#call("open", path, () => {
      if (mode === "create" && this.#names.has(path)) throw new DiskError("exists", path, `${path} exists`);
      if (mode !== "create") return;
      this.#checkDirectory(parentOf(path), path);
      this.#change({ kind: "link", path, node: new Inode() });
    });
    const inode = this.#inode(path);
    this.#openFiles += 1;
    return this.#file(path, inode, mode);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#call("rename", from, () => this.#change({ kind: "rename", from, to, node: this.#inode(from) }));
  }

  async remove(path: string): Promise<void> {
    await this.#call("remove", path, () => {
      this.#inode(path);
      this.#change({ kind: "unlink", path });
    });
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#call("syncDirectory", path, null);
    this.#checkDirectory(path, path);
    if (this.ignoresSyncs) return;
    const [settled, open] = [
      this.#journal.filter((change) => directoryOf(change) === path),
      this.#journal.filter((change) => directoryOf(change) !== path),
    ];
    for (const change of settled) apply(this.#durableNames, change);
    this.#journal = open;
  }

  async lock(directory: string): Promise<DirectoryLock> {
    await this.#call("lock", directory, () => {});
    this.#checkDirectory(directory, directory);
    if (this.#locks.has(directory)) throw new DiskError("locked", directory, `${directory} is locked`);
    this.#locks.add(directory);
    return {
      release: async () => {
        this.#locks.delete(directory);
      },
    };
  }

  #file(path: string, inode: Inode, mode: "create" | "read" | "write"): DiskFile {
    let open = true;
    const call = async (name: DiskCall["name"], effect: (() => void) | null): Promise<void> => {
      if (!open) throw new DiskError("io", path, `${path} is closed`);
      await this.#call(name, path, effect);
    };
    const checkWritable = (): void => {
      if (mode === "read") throw new DiskError("io", path, `${path} was opened to read`);
    };
    return {
      sizeBytes: async () => {
        await call("sizeBytes", () => {});
        return inode.bytes.length;
      },
      read: async (offset, length) => {
        await call("read", () => {});
        return inode.bytes.slice(offset, offset + length);
      },
      write: (offset, chunks) =>
        call("write", () => {
          checkWritable();
          this.#checkSpace(path, inode, offset, chunks);
          inode.write(offset, chunks);
        }),
      truncate: (sizeBytes) =>
        call("truncate", () => {
          checkWritable();
          inode.resize(sizeBytes);
        }),
      sync: async () => {
        // A sync makes durable what was written before it was called.
        await call("sync", null);
        if (!this.ignoresSyncs) inode.sync();
      },
      writeDurably: async (offset, chunks) => {
        // One call: a crash within it leaves any sectors.
        await call("writeDurably", () => {
          checkWritable();
          this.#checkSpace(path, inode, offset, chunks);
          inode.write(offset, chunks);
        });
        const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
        if (length > 0 && !this.ignoresSyncs) inode.syncRange(offset, offset + length);
      },
      close: async () => {
        if (open) this.#openFiles -= 1;
        open = false;
      },
    };
  }

  /** `effect` is what a crash within the call may leave; null if it leaves nothing certain. */
  async #call(name: DiskCall["name"], path: string, effect: (() => void) | null): Promise<void> {
    this.callCount += 1;
    this.counts[name] += 1;
    const number = this.callCount;
    if (number > this.#crashAt) throw new DiskError("io", path, "the process has ended");
    await this.before({ name, path, number });
    effect?.();
    if (number === this.#crashAt) throw new DiskError("io", path, "the process ends");
  }

  #checkSpace(path: string, inode: Inode, offset: number, chunks: readonly Uint8Array[]): void {
    if (this.capacityBytes === Infinity) return;
    const end = chunks.reduce((sum, chunk) => sum + chunk.length, offset);
    const growth = Math.max(0, end - inode.bytes.length);
    if (growth > 0 && this.usedBytes + growth > this.capacityBytes) throw new DiskError("no-space", path, `no space left for ${path}`);
  }

  #change(change: NameChange): void {
    apply(this.#names, change);
    this.#journal.push(change);
  }

  #checkDirectory(directory: string, path: string): void {
    const node = directory === "/" ? "directory" : this.#names.get(directory);
    if (node === undefined) throw new DiskError("not-found", path, `${path} does not exist`);
    if (node !== "directory") throw new DiskError("not-a-directory", path, `${directory} is not a directory`);
  }

  #inode(path: string): Inode {
    const node = this.#names.get(path);
    if (node === "directory") throw new DiskError("io", path, `${path} is a directory`);
    if (node === undefined) throw new DiskError("not-found", path, `${path} does not exist`);
    return node;
  }
}

function apply(names: Map<string, Node>, change: NameChange): void {
  if (change.kind === "rename") {
    // The name may have been lost or given away meanwhile.
    if (names.get(change.from) === change.node) names.delete(change.from);
    names.set(change.to, change.node);
  } else if (change.kind === "unlink") {
    names.delete(change.path);
  } else {
    names.set(change.path, change.node);
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function directoryOf(change: NameChange): string {
  return parentOf(change.kind === "rename" ? change.to : change.path);
}
