import { createMeta, MetaFile, readMeta } from "../meta-file.ts";
import { COPY_BYTES, firstMetaRecord, META_PAIRS } from "../meta-record.ts";
import { SeededRandom, testDirectory, testIdentity } from "../testing/fixture.ts";
import { MemoryDisk } from "../testing/memory-disk.ts";
import { contentOf, outcomesOf } from "./outcomes.ts";

const path = `${testDirectory}/meta`;
const everyOutcome = { random: new SeededRandom(1), exhaustiveMax: 12, samples: 0 };

/** What the lives of a member left of its meta file, and what it may hold. */
interface Left {
  readonly disk: MemoryDisk;
  /** Highest term that the member stands by: its own writing of it was durable, or it found it and then wrote. */
  readonly acknowledged: number;
  /** Highest term that it began to write. */
  readonly attempted: number;
  /** Whether a fault hit the file since a start last wrote all of it. */
  readonly isHurt: boolean;
  /** The file before the last life. */
  readonly earlier: Uint8Array;
}

interface LifeEnd extends Left {
  readonly isInWrite: boolean;
}

/** One start that enters two terms, and ends in the durable write of this number. The first writing of the start is 1 to 4. */
async function live(left: Left, lastWrite: number): Promise<LifeEnd> {
  const { disk } = left;
  const earlier = disk.peek(path);
  let { acknowledged, attempted, isHurt } = left;
  let writes = 0;
  disk.before = ({ name, number }) => {
    if (name === "writeDurably" && ++writes === lastWrite) disk.crashAtCall(number);
  };
  const found = await readMeta(disk, testDirectory, null);
  if (found === null) throw new Error("There is a meta file");
  const { term, bootGeneration } = found.record;
  const meta = await MetaFile.open(disk, testDirectory, found);
  try {
    await meta.update({ bootGeneration: bootGeneration + 1 });
    [acknowledged, isHurt] = [term, false];
    for (const next of [term + 1, term + 2]) {
      attempted = Math.max(attempted, next);
      await meta.update({ term: next });
      acknowledged = next;
    }
  } catch (reason) {
    if (!disk.crashed) throw reason;
  }
  await meta.close();
  const isInWrite = disk.crashed;
  disk.before = () => {};
  disk.crashAtCall(Infinity);
  return { disk, acknowledged, attempted, isHurt, earlier, isInWrite };
}

/** Zeros, ones, what stood there, or another copy, in the place of each copy. */
function* faultsIn(left: Left): Generator<Left> {
  const bytes = left.disk.peek(path);
  const offsets = META_PAIRS.flat();
  const copies = offsets.map((offset) => bytes.subarray(offset, offset + COPY_BYTES));
  for (const at of offsets) {
    const stale = left.earlier.subarray(at, at + COPY_BYTES);
    for (const block of [new Uint8Array(COPY_BYTES), new Uint8Array(COPY_BYTES).fill(0xff), stale, ...copies]) {
      const changed = bytes.slice();
      changed.set(block, at);
      const disk = left.disk.afterKill();
      disk.poke(path, changed);
      yield { ...left, disk, isHurt: true };
    }
  }
}

/** Tries every history of a meta file, and counts what it comes to. */
export class MetaHistories {
  /** Files that were read. */
  states = 0;
  readonly losses: string[] = [];
  readonly #seen = new Set<string>();

  /** From a new file on, with so many lives or pairs of lives. The first loss ends it. */
  async search(lives: number): Promise<void> {
    const disk = new MemoryDisk();
    await disk.makeDirectory(testDirectory);
    await createMeta(disk, testDirectory, firstMetaRecord(testIdentity, 1n));
    await disk.syncDirectory("/");
    await this.#explore({ disk, acknowledged: 0, attempted: 0, isHurt: false, earlier: disk.peek(path) }, lives);
  }

  async #explore(left: Left, lives: number): Promise<void> {
    const { disk, acknowledged, attempted, isHurt } = left;
    const key = `${contentOf(disk)} ${acknowledged} ${attempted} ${isHurt} ${lives}`;
    if (this.losses.length > 0 || this.#seen.has(key)) return;
    this.#seen.add(key);
    this.states += 1;
    await this.#check(left);
    if (!isHurt) for (const hurt of faultsIn(left)) await this.#explore(hurt, lives);
    if (lives > 0) await this.#goOn(left, lives - 1);
  }

  /** A power loss in any write of the next life, or, after a kill in any write, in any one of the life after it. */
  async #goOn(left: Left, lives: number): Promise<void> {
    let isInWrite = true;
    for (let write = 1; isInWrite; write++) {
      const end = await live(copyOf(left), write);
      ({ isInWrite } = end);
      await this.#losePower(end, lives);
      let isInLaterWrite = isInWrite;
      for (let later = 1; isInLaterWrite; later++) {
        const laterEnd = await live(await live(copyOf(left), write), later);
        ({ isInWrite: isInLaterWrite } = laterEnd);
        await this.#losePower(laterEnd, lives);
      }
    }
  }

  async #losePower(left: Left, lives: number): Promise<void> {
    for (const disk of outcomesOf(left.disk, everyOutcome)) await this.#explore({ ...left, disk }, lives);
  }

  async #check({ disk, acknowledged, attempted }: Left): Promise<void> {
    const found = await readMeta(disk, testDirectory, null).catch((reason: unknown) => String(reason));
    const term = typeof found === "string" ? found : (found?.record.term ?? "no file");
    if (typeof term === "number" && term >= acknowledged && term <= attempted) return;
    this.losses.push(`found ${term}, the member stands by term ${acknowledged} and began to write ${attempted}`);
  }
}

function copyOf(left: Left): Left {
  return { ...left, disk: left.disk.afterKill() };
}
