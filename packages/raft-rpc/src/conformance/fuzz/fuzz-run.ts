import { SeededRandom } from "./seeded-random.ts";

/** Something that takes any input whatever, and what has to hold while it does. */
export interface FuzzTarget {
  readonly name: string;
  makeInput(random: SeededRandom): Uint8Array;
  /** Returns what became of the input, in a word. Throws when something does not hold, and then the run has found a fault. */
  execute(input: Uint8Array, random: SeededRandom): string;
}

export interface FuzzOptions {
  /** The execution number n of a run has the seed `seed` + n, so that it can be run again alone. */
  readonly seed: number;
  readonly executions: number;
  /** In milliseconds, of any origin. */
  readonly now: () => number;
}

export interface FuzzReport {
  /** How often each outcome came. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly inputBytes: number;
  readonly slowestMs: number;
}

/** Runs a target with inputs that depend on the seed alone. The error of a finding says how to run it again. */
export function runFuzz(target: FuzzTarget, options: FuzzOptions): FuzzReport {
  const outcomes = new Map<string, number>();
  let inputBytes = 0;
  let slowestMs = 0;
  let beganMs = options.now();
  for (let count = 0; count < options.executions; count++) {
    const seed = options.seed + count;
    const random = new SeededRandom(seed);
    const input = target.makeInput(random);
    inputBytes += input.length;
    try {
      const outcome = target.execute(input, random);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (cause) {
      throw new Error(`${finding(cause)}, found in ${target.name} with FUZZ_SEED=${seed} FUZZ_EXECUTIONS=1, input ${hexText(input)}`, {
        cause,
      });
    }
    const endedMs = options.now();
    slowestMs = Math.max(slowestMs, endedMs - beganMs);
    beganMs = endedMs;
  }
  return { outcomes, inputBytes, slowestMs };
}

function finding(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}

function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join("");
}
