import type { SeededRandom } from "../timeline/seeded-random.ts";
import { FileImage, type TornSector } from "./file-image.ts";

export type DirectoryEntry = FileImage | DirectoryImage;

/** One change of names, which survives a power cut whole or not at all. */
type NameChange =
  | { readonly kind: "set"; readonly name: string; readonly entry: DirectoryEntry }
  | { readonly kind: "remove"; readonly name: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string; readonly entry: DirectoryEntry };

function applyChange(names: Map<string, DirectoryEntry>, change: NameChange): void {
  if (change.kind === "set") names.set(change.name, change.entry);
  else if (change.kind === "remove") names.delete(change.name);
  else {
    // The new name may survive although the creation of the old one did not.
    if (names.get(change.from) === change.entry) names.delete(change.from);
    names.set(change.to, change.entry);
  }
}

/** A directory as its processes see it, the names that are durable, and the changes in between. */
export class DirectoryImage {
  readonly #names = new Map<string, DirectoryEntry>();
  readonly #durable = new Map<string, DirectoryEntry>();
  #changes: NameChange[] = [];

  get(name: string): DirectoryEntry | undefined {
    return this.#names.get(name);
  }

  /** Sorted by UTF-16 code unit. */
  get sortedNames(): readonly string[] {
    return [...this.#names.keys()].sort();
  }

  get entries(): Iterable<DirectoryEntry> {
    return this.#names.values();
  }

  set(name: string, entry: DirectoryEntry): void {
    this.#change({ kind: "set", name, entry });
  }

  remove(name: string): void {
    this.#change({ kind: "remove", name });
  }

  rename(from: string, to: string, entry: DirectoryEntry): void {
    if (from !== to) this.#change({ kind: "rename", from, to, entry });
  }

  /** Returns what makes durable the changes until now; to be called when the sync is done. */
  beginSync(): () => void {
    const synced = new Set(this.#changes);
    return () => {
      // Changes that an overlapping sync has made durable are no longer in the list.
      for (const change of this.#changes) if (synced.has(change)) applyChange(this.#durable, change);
      this.#changes = this.#changes.filter((change) => !synced.has(change));
    };
  }

  /** Each unsynced change survives or not; then the same below. */
  losePower(random: SeededRandom, torn: TornSector): void {
    const kind = random.pick(["none", "all", "prefix", "any"] as const);
    const prefixCount = random.below(this.#changes.length + 1);
    this.#changes.forEach((change, position) => {
      const survives = kind === "all" || (kind === "prefix" && position < prefixCount) || (kind === "any" && random.oneIn(2));
      if (survives) applyChange(this.#durable, change);
    });
    this.#changes = [];
    this.#names.clear();
    for (const [name, entry] of this.#durable) this.#names.set(name, entry);
    for (const entry of new Set(this.#names.values())) entry.losePower(random, torn);
  }

  #change(change: NameChange): void {
    applyChange(this.#names, change);
    this.#changes.push(change);
  }
}

/** Bytes of all files under a directory. */
export function totalBytes(directory: DirectoryImage): number {
  let total = 0;
  for (const entry of directory.entries) total += entry instanceof FileImage ? entry.sizeBytes : totalBytes(entry);
  return total;
}
