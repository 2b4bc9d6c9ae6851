import type { KVStore } from "../kv-store.ts";
import type { Admission, RequestIdentity } from "../session/session-table.ts";
import { bytesOf, textOf } from "./bytes-as-text.ts";
import type { ModelState, Step } from "./model-state.ts";

export const sessionSteps = {
  writeOnce: { weight: 80, run: writeOnce },
  advanceTime: { weight: 20, run: advanceTime },
} as const satisfies Readonly<Record<string, Step>>;

/** A put that a client may have sent before. */
function writeOnce(state: ModelState): void {
  const { model, sessions, choice, generator } = state;
  const clientId = choice.of([1n, 2n, 3n, 2n ** 63n, 2n ** 64n - 1n, 4n]);
  const known = sessions.sessions.find((session) => session.clientId === clientId);
  const sequence = Math.max(1, (known?.forgottenBelow ?? 1) + choice.below(6) - 1);
  const identity = { clientId, sequence, lowestAwaited: Math.max(0, sequence - choice.below(6)) };
  const [key, value] = [generator.key(), generator.value()];
  state.note(identity, key, value);
  const expected = sessions.admit(identity);
  if (expected.kind === "new") {
    model.write(() => model.put(textOf(key), textOf(value), 0n));
    sessions.record(identity, bytesOf(`revision ${model.revision}`));
  }
  state.expectBoth((store) => updateOnce(store, identity, key, value), expected);
}

function updateOnce(store: KVStore, identity: RequestIdentity, key: Uint8Array, value: Uint8Array): Admission {
  const admission = store.sessions.admit(identity);
  if (admission.kind === "new") {
    const { revision } = store.update(key, value);
    store.sessions.record(identity, bytesOf(`revision ${revision}`));
  }
  return admission;
}

/** Also back, and by more than counts. */
function advanceTime(state: ModelState): void {
  state.readingMs += state.choice.of([-500, 0, 50, 50, 100, 200, 300, 5000]);
  state.note(state.readingMs);
  state.sessions.advance(state.readingMs);
  state.expectBoth((store) => store.sessions.advance(state.readingMs), undefined);
}
