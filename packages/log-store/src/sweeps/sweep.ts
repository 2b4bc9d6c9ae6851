import type { MemoryDisk } from "../testing/memory-disk.ts";
import { readingOf } from "./file-reading.ts";
import type { SampleDirectory } from "./sample-directory.ts";
import { judge, type Verdict } from "./verdict.ts";

/** For a sweep; the longest takes half a minute where nothing else runs. */
export const SWEEP_TIMEOUT_MS = 300_000;
/** Failures that are kept for the report; one fault in the code shows in thousands of trials. */
const WRONG_MAX = 20;

/** Tries changes of a directory, one after another, and counts what became of them. */
export class Sweep {
  readonly counts: Record<Verdict["kind"], number> = { intact: 0, cut: 0, repair: 0, quarantine: 0, refused: 0, wrong: 0 };
  /** How many of the trials were opened as a member opens its directory; the others read the same as one of those. */
  opened = 0;
  readonly wrong: string[] = [];
  readonly refusals: Record<string, number> = {};
  readonly #directory: SampleDirectory;
  readonly #openedAtLeast: number;
  readonly #verdicts = new Map<string, Verdict>();

  /** `openedAtLeast`: one trial of so many is opened also if its reading is known, to show that the reading decides. */
  constructor(directory: SampleDirectory, { openedAtLeast = 32 }: { readonly openedAtLeast?: number } = {}) {
    this.#directory = directory;
    this.#openedAtLeast = openedAtLeast;
  }

  get trials(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** One file holds something else. */
  async replaceFile(path: string, bytes: Uint8Array, where: string): Promise<Verdict> {
    const reading = await readingOf(path, bytes);
    const known = this.#verdicts.get(reading);
    if (known !== undefined && this.trials % this.#openedAtLeast !== 0) return this.#count(known, `${path}: ${where}`);
    const disk = this.#directory.disk.afterKill();
    disk.poke(path, bytes);
    const verdict = await this.#open(disk);
    if (known !== undefined && known.kind !== verdict.kind) {
      const what = `the same reading led to ${known.kind} and to ${verdict.kind}`;
      return this.#count({ kind: "wrong", what }, `${path}: ${where}`);
    }
    this.#verdicts.set(reading, verdict);
    return this.#count(verdict, `${path}: ${where}`);
  }

  /** Any change of the directory. */
  async change(apply: (disk: MemoryDisk) => void, where: string): Promise<Verdict> {
    const disk = this.#directory.disk.afterKill();
    apply(disk);
    return this.#count(await this.#open(disk), where);
  }

  #open(disk: MemoryDisk): Promise<Verdict> {
    this.opened += 1;
    return judge(disk, this.#directory.acknowledged);
  }

  #count(verdict: Verdict, where: string): Verdict {
    this.counts[verdict.kind] += 1;
    if (verdict.kind === "refused") this.refusals[verdict.code] = (this.refusals[verdict.code] ?? 0) + 1;
    if (verdict.kind === "wrong" && this.wrong.length < WRONG_MAX) this.wrong.push(`${where}: ${verdict.what}`);
    return verdict;
  }
}
