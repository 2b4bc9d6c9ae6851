import { leaseSteps } from "./lease-steps.ts";
import { ModelState, type Step } from "./model-state.ts";
import { recordSteps } from "./record-steps.ts";
import { SeededChoice } from "./seeded-choice.ts";
import { sessionSteps } from "./session-steps.ts";
import { finishSteps, snapshotSteps } from "./snapshot-steps.ts";
import { eventsOf, expectedEvents } from "./store-answers.ts";

const steps: Readonly<Record<string, Step>> = { ...recordSteps, ...leaseSteps, ...sessionSteps, ...snapshotSteps };
const weights = Object.fromEntries(Object.entries(steps).map(([name, { weight }]) => [name, weight]));

/**
 * Two stores and the model on their way through the same steps. What a step does is drawn from its own seed and from the state, so that
 * any list of seeds is a run. Every answer and every event is compared with the model.
 */
export class ModelRun {
  readonly #state = new ModelState();

  /** @throws Error with the last steps if an answer is not the model's. */
  step(seed: number): void {
    const choice = new SeededChoice(seed);
    const name = choice.byWeight(weights);
    this.#state.begin(name, choice);
    this.#traced(() => {
      const { revision } = this.#state.model;
      steps[name]?.run(this.#state);
      this.#compareWhatChanged(revision);
    });
  }

  /** Compares all there is. @throws Error with the last steps if it is not the model's. */
  finish(): void {
    this.#traced(() => finishSteps(this.#state));
  }

  #traced(work: () => void): void {
    try {
      work();
    } catch (reason) {
      const message = reason instanceof Error ? reason.message : String(reason);
      throw new Error(`${message}\n${this.#state.shownTrace}`, { cause: reason });
    }
  }

  #compareWhatChanged(revisionBefore: number): void {
    const { model, stores } = this.#state;
    this.#state.expectBoth(
      ({ revision, compactRevision, keyCount, payloadBytes }) => ({ revision, compactRevision, keyCount, payload: payloadBytes }),
      {
        revision: model.revision,
        compactRevision: model.compactRevision,
        keyCount: model.current.length,
        payload: model.payloadBytes,
      },
    );
    const from = revisionBefore + 1;
    if (model.revision >= from) this.#state.expect(eventsOf(stores[0], from, 1000), expectedEvents(model, from, 1000));
  }
}
