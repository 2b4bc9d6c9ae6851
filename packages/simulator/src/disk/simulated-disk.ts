import { DiskError, type DiskErrorCode } from "@raftkv/raft-node";
import type { Life } from "../timeline/life.ts";
import type { SeededRandom } from "../timeline/seeded-random.ts";
import { type DirectoryEntry, DirectoryImage, totalBytes } from "./directory-image.ts";
import { FileImage, type TornSector } from "./file-image.ts";

export type DiskOperation =
  | "open"
  | "list"
  | "read"
  | "write"
  | "truncate"
  | "sync"
  | "write durably"
  | "close"
  | "names"
  | "sync directory"
  | "lock";

/** What a fault can be for: a durable write suffers those of writes and those of syncs. */
export type FailingOperation = Exclude<DiskOperation, "write durably">;

/** How long an operation takes. */
export interface DiskLatency {
  readonly minMs: number;
  /** Mean of what comes on top, exponentially distributed. */
  readonly meanMs: number;
}

export interface SimulatedDiskOptions {
  /** Of everything but syncs. Default 0.02 and 0.03. */
  readonly transfer?: DiskLatency;
  /** Of syncs of files and directories and of durable writes. Default 0.2 and 0.3. */
  readonly sync?: DiskLatency;
  /** Bytes of all files together; more is `no-space`. Default: 1 TiB. */
  readonly capacityBytes?: number;
  /** What becomes of unsynced sectors besides old and new. Default: nothing else. */
  readonly tornSector?: TornSector;
}

export interface DiskFault {
  readonly operation: FailingOperation;
  /** Only for paths that end so. Default: all. */
  readonly pathEnd?: string;
  readonly code: DiskErrorCode;
  /** How many operations fail before it heals. Default 1. */
  readonly times?: number;
}

/** An operation on its way: `apply` when it is done; `interrupt` if the process ends before; `fail` instead of `apply` after a fault. */
export interface DiskWork<T> {
  apply(): T;
  interrupt?(random: SeededRandom): void;
  fail?(random: SeededRandom, operation: FailingOperation): void;
}

interface PendingFault {
  readonly fault: DiskFault;
  left: number;
}

/** The disk of one machine. It outlives the processes that use it through `DiskPort`. */
export class SimulatedDisk {
  readonly #random: SeededRandom;
  readonly #latencyRandom: SeededRandom;
  readonly #transfer: DiskLatency;
  readonly #sync: DiskLatency;
  readonly #tornSector: TornSector;
  capacityBytes: number;
  #root = new DirectoryImage();
  readonly #faults: PendingFault[] = [];
  #pending = new Set<DiskWork<unknown>>();
  #locks = new Map<DirectoryEntry, Life>();
  #stalledUntilUs = 0;
  #life: Life | null = null;

  constructor(random: SeededRandom, options: SimulatedDiskOptions) {
    this.#random = random;
    this.#latencyRandom = random.child("latency");
    this.#transfer = options.transfer ?? { minMs: 0.02, meanMs: 0.03 };
    this.#sync = options.sync ?? { minMs: 0.2, meanMs: 0.3 };
    this.#tornSector = options.tornSector ?? "old or new";
    this.capacityBytes = options.capacityBytes ?? 2 ** 40;
  }

  get root(): DirectoryImage {
    return this.#root;
  }

  get usedBytes(): number {
    return totalBytes(this.#root);
  }

  start(life: Life): void {
    this.#life = life;
  }

  /** Lets operations fail from now on. Returns how to stop that. */
  inject(fault: DiskFault): () => void {
    const pending: PendingFault = { fault, left: fault.times ?? 1 };
    this.#faults.push(pending);
    return () => {
      pending.left = 0;
    };
  }

  /** Operations that begin from now on take at least until `durationMs` from now. */
  stall(durationMs: number): void {
    if (this.#life === null) throw new Error("A disk that no process uses can't stall");
    this.#stalledUntilUs = this.#life.timeline.nowUs + Math.ceil(durationMs * 1_000);
  }

  /** A new, empty disk. Only between two lives. */
  replace(): void {
    if (this.#life !== null) throw new Error("The disk is in use");
    this.#root = new DirectoryImage();
  }

  /** Bytes of a file as a process would read them now. */
  contentOf(path: string): Uint8Array {
    const file = this.fileAt(path);
    return file.read(0, file.sizeBytes);
  }

  /** Overwrites bytes of a file behind everybody's back: rot. */
  damage(path: string, offset: number, bytes: Uint8Array): void {
    this.fileAt(path).damage(offset, bytes);
  }

  /** Operations on their way happen in part or not; what happened stays in the machine's memory. */
  crashProcess(): void {
    this.#life = null;
    const pending = this.#pending;
    this.#pending = new Set();
    this.#locks = new Map();
    for (const work of pending) work.interrupt?.(this.#random);
  }

  losePower(): void {
    this.crashProcess();
    this.#root.losePower(this.#random, this.#tornSector);
  }

  /** Lets `work` happen after the time that `operation` takes. Never settles if the process ends before. */
  perform<T>(life: Life, operation: DiskOperation, path: string, work: DiskWork<T>): Promise<T> {
    if (life.isOver) return new Promise(() => {});
    const fault = this.#faultFor(operation, path);
    this.#pending.add(work);
    return new Promise((resolve, reject) => {
      life.schedule(this.#durationUs(life, operation), `disk ${operation}`, () => {
        this.#pending.delete(work);
        if (fault !== null) {
          work.fail?.(this.#random, fault.operation);
          reject(new DiskError(fault.code, path, `Cannot ${verbs[fault.operation]} ${path}: injected ${fault.code}`));
          return;
        }
        resolve(applied(work));
      });
    });
  }

  /** Throws DiskError if another life holds it or the directory is missing. */
  takeLock(life: Life, path: string): () => void {
    const directory = this.directoryAt(path);
    if (this.#locks.has(directory)) throw new DiskError("locked", path, `Directory ${path} is in use by another process`);
    this.#locks.set(directory, life);
    return () => {
      if (this.#locks.get(directory) === life) this.#locks.delete(directory);
    };
  }

  fileAt(path: string): FileImage {
    const entry = this.#find(partsOf(path));
    if (entry instanceof DirectoryImage) throw new DiskError("io", path, `${path} is a directory`);
    if (entry === undefined) throw new DiskError("not-found", path, `There is no ${path}`);
    return entry;
  }

  directoryAt(path: string): DirectoryImage {
    const entry = this.#find(partsOf(path));
    if (entry instanceof FileImage) throw new DiskError("not-a-directory", path, `${path} is not a directory`);
    if (entry === undefined) throw new DiskError("not-found", path, `There is no ${path}`);
    return entry;
  }

  /** The directory of a name; throws DiskError if it is missing. */
  parentOf(path: string): { readonly directory: DirectoryImage; readonly name: string } {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw new DiskError("io", path, `${path} is no name in a directory`);
    const directory = this.#find(parts);
    if (directory instanceof DirectoryImage) return { directory, name };
    throw new DiskError(directory === undefined ? "not-found" : "not-a-directory", path, `There is no directory for ${path}`);
  }

  #find(parts: readonly string[]): DirectoryEntry | undefined {
    let entry: DirectoryEntry | undefined = this.#root;
    for (const part of parts) {
      if (!(entry instanceof DirectoryImage)) return undefined;
      entry = entry.get(part);
    }
    return entry;
  }

  #faultFor(operation: DiskOperation, path: string): DiskFault | null {
    const operations: readonly DiskOperation[] = operation === "write durably" ? ["write", "sync"] : [operation];
    for (const pending of this.#faults) {
      const { fault } = pending;
      if (pending.left === 0 || !operations.includes(fault.operation) || !path.endsWith(fault.pathEnd ?? "")) continue;
      pending.left--;
      return fault;
    }
    return null;
  }

  #durationUs(life: Life, operation: DiskOperation): number {
    const { minMs, meanMs } = syncingOperations.has(operation) ? this.#sync : this.#transfer;
    const drawnUs = Math.ceil(minMs * 1_000) + (meanMs > 0 ? this.#latencyRandom.exponential(Math.ceil(meanMs * 1_000)) : 0);
    return Math.max(drawnUs, this.#stalledUntilUs - life.timeline.nowUs);
  }
}

/** A promise, so that an error of `apply` rejects. */
async function applied<T>(work: DiskWork<T>): Promise<T> {
  return work.apply();
}

const syncingOperations: ReadonlySet<DiskOperation> = new Set(["sync", "sync directory", "write durably"]);

const verbs: Readonly<Record<FailingOperation, string>> = {
  open: "open",
  list: "list",
  read: "read",
  write: "write",
  truncate: "truncate",
  sync: "sync",
  close: "close",
  names: "change",
  "sync directory": "sync directory",
  lock: "lock",
};

function partsOf(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new DiskError("io", path, `Path ${path} leads upwards`);
  return parts;
}
