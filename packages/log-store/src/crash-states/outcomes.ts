import type { Random } from "@raftkv/raft-node";
import { crc32c } from "../crc32c.ts";
import type { MemoryDisk } from "../testing/memory-disk.ts";

export interface OutcomeOptions {
  readonly random: Random;
  /** Up to so many sectors and names are tried in every combination. */
  readonly exhaustiveMax: number;
  /** How many outcomes are drawn where there are more. */
  readonly samples: number;
}

/**
 * What a power loss may leave of a disk: each sector and name that is not synced survives or not, by itself and in any order. A
 * sample holds everything, nothing, each one alone, all but each one, and any.
 */
export function* outcomesOf(disk: MemoryDisk, { random, exhaustiveMax, samples }: OutcomeOptions): Generator<MemoryDisk> {
  let unsure = 0;
  const everything = disk.afterPowerLoss(() => {
    unsure += 1;
    return true;
  });
  if (unsure <= exhaustiveMax) {
    yield* everyOutcome(disk);
    return;
  }
  yield everything;
  yield disk.afterPowerLoss(() => false);
  for (let sample = 0; sample < samples; sample++) {
    // Every second one is one that survives alone or is lost alone, until each had its turn.
    const isAlone = sample % 2 === 0 && sample < 4 * unsure;
    const alone = sample >> 2;
    const survivesAlone = sample % 4 === 0;
    let asked = 0;
    yield disk.afterPowerLoss(() => (isAlone ? (asked++ === alone) === survivesAlone : random.below(2) === 0));
  }
}

/** All answers in turn, as a binary number counts up. What is asked may depend on the answers before. */
function* everyOutcome(disk: MemoryDisk): Generator<MemoryDisk> {
  const answers: boolean[] = [];
  do {
    let asked = 0;
    yield disk.afterPowerLoss(() => {
      if (asked === answers.length) answers.push(false);
      return answers[asked++] ?? false;
    });
    answers.length = asked;
    while (answers.at(-1) === true) answers.pop();
    if (answers.length > 0) answers[answers.length - 1] = true;
  } while (answers.length > 0);
}

/** Equal for disks that hold the same files. */
export function contentOf(disk: MemoryDisk): string {
  return disk
    .files()
    .map((path) => {
      const bytes = disk.peek(path);
      return `${path} ${bytes.length} ${crc32c(bytes)}`;
    })
    .join();
}
