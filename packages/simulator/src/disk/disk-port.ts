import { type DirectoryLock, type Disk, DiskError, type DiskFile } from "@raftkv/raft-node";
import type { Life } from "../timeline/life.ts";
import type { SeededRandom } from "../timeline/seeded-random.ts";
import { DirectoryImage } from "./directory-image.ts";
import { FileImage } from "./file-image.ts";
import type { DiskWork, SimulatedDisk } from "./simulated-disk.ts";
import { SimulatedFile } from "./simulated-file.ts";

/** A change of names that the end of the process interrupts has happened or not. */
function nameWork<T>(apply: () => T): DiskWork<T> {
  return {
    apply,
    interrupt: (random: SeededRandom) => {
      if (!random.oneIn(2)) return;
      try {
        apply();
      } catch (reason) {
        // The process would have been told; it is not there any more.
        if (!(reason instanceof DiskError)) throw reason;
      }
    },
  };
}

/** The Disk port of one life of a process. */
export class DiskPort implements Disk {
  readonly #life: Life;
  readonly #disk: SimulatedDisk;

  constructor(life: Life, disk: SimulatedDisk) {
    this.#life = life;
    this.#disk = disk;
  }

  makeDirectory(path: string): Promise<void> {
    const work = nameWork(() => {
      const { directory, name } = this.#disk.parentOf(path);
      if (directory.get(name) !== undefined) throw new DiskError("exists", path, `${path} exists already`);
      directory.set(name, new DirectoryImage());
    });
    return this.#disk.perform(this.#life, "names", path, work);
  }

  list(path: string): Promise<readonly string[]> {
    return this.#disk.perform(this.#life, "list", path, { apply: () => this.#disk.directoryAt(path).sortedNames });
  }

  open(path: string, mode: "create" | "read" | "write"): Promise<DiskFile> {
    const work = nameWork(
      () => new SimulatedFile(this.#life, this.#disk, mode === "create" ? this.#create(path) : this.#disk.fileAt(path), path, mode),
    );
    return this.#disk.perform(this.#life, "open", path, work);
  }

  rename(from: string, to: string): Promise<void> {
    const work = nameWork(() => {
      const source = this.#disk.parentOf(from);
      const target = this.#disk.parentOf(to);
      const entry = source.directory.get(source.name);
      if (entry === undefined) throw new DiskError("not-found", from, `There is no ${from}`);
      if (target.directory.get(target.name) instanceof DirectoryImage) throw new DiskError("io", to, `${to} is a directory`);
      if (source.directory === target.directory) {
        source.directory.rename(source.name, target.name, entry);
        return;
      }
      // Two journals: a power cut may leave both names or none.
      target.directory.set(target.name, entry);
      source.directory.remove(source.name);
    });
    return this.#disk.perform(this.#life, "names", from, work);
  }

  remove(path: string): Promise<void> {
    const work = nameWork(() => {
      this.#disk.fileAt(path);
      const { directory, name } = this.#disk.parentOf(path);
      directory.remove(name);
    });
    return this.#disk.perform(this.#life, "names", path, work);
  }

  async syncDirectory(path: string): Promise<void> {
    if (this.#life.isOver) return new Promise(() => {});
    const endSync = this.#disk.directoryAt(path).beginSync();
    return this.#disk.perform(this.#life, "sync directory", path, { apply: endSync });
  }

  lock(directory: string): Promise<DirectoryLock> {
    const apply = (): DirectoryLock => {
      const release = this.#disk.takeLock(this.#life, directory);
      return { release: () => this.#disk.perform(this.#life, "lock", directory, { apply: release }) };
    };
    return this.#disk.perform(this.#life, "lock", directory, { apply });
  }

  #create(path: string): FileImage {
    const { directory, name } = this.#disk.parentOf(path);
    if (directory.get(name) !== undefined) throw new DiskError("exists", path, `${path} exists already`);
    const file = new FileImage();
    directory.set(name, file);
    return file;
  }
}
