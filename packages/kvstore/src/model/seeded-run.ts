import { ModelRun } from "./model-run.ts";
import { SeededChoice } from "./seeded-choice.ts";

const stepsPerRun = 1000;
/** Tries to make a failing run shorter. */
const shorteningsMax = 400;

/**
 * Drives stores and model through the thousand steps of a seed. Null if all answers are the model's; otherwise what is not, the shortest
 * list of steps found that shows it, and how to run it again.
 */
export function failureOf(seed: number): string | null {
  const choice = new SeededChoice(seed);
  const steps = Array.from({ length: stepsPerRun }, () => choice.below(2 ** 32));
  const failure = play(steps);
  if (failure === null) return null;
  const { shortest, message } = shortened(steps.slice(0, failure.stepCount), failure.message);
  return `Seed ${seed} fails at step ${failure.stepCount}; run it again with
  KVSTORE_MODEL_SEED=${seed} npx vitest run --project unit packages/kvstore/src/model
${shortest.length} steps are enough: ${shortest.join()}
${message}`;
}

/** Where a run fails, null if it does not. */
function play(steps: readonly number[]): { readonly stepCount: number; readonly message: string } | null {
  const run = new ModelRun();
  let stepCount = 0;
  try {
    for (const step of steps) {
      stepCount++;
      run.step(step);
    }
    run.finish();
    return null;
  } catch (reason) {
    return { stepCount, message: reason instanceof Error ? reason.message : String(reason) };
  }
}

/** Leaves out steps, first many at once, as long as the rest still fails. */
function shortened(steps: readonly number[], lastMessage: string): { readonly shortest: readonly number[]; readonly message: string } {
  let shortest = steps;
  let message = lastMessage;
  let tries = 0;
  for (let size = steps.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < shortest.length && tries < shorteningsMax; tries++) {
      const rest = [...shortest.slice(0, at), ...shortest.slice(at + size)];
      const failure = play(rest);
      if (failure === null) {
        at += size;
        continue;
      }
      shortest = rest.slice(0, failure.stepCount);
      message = failure.message;
    }
  }
  return { shortest, message };
}
