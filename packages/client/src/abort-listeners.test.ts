import { once } from "node:events";
import { expect, test } from "vitest";
import { onAbort } from "./abort-listeners.ts";

test("all that listen are told once, and those that have left are not", () => {
  const controller = new AbortController();
  const told: string[] = [];
  const leave = onAbort(controller.signal, () => told.push("left"));
  onAbort(controller.signal, () => told.push("first"));
  onAbort(controller.signal, () => told.push("second"));
  leave();
  controller.abort();
  controller.abort();
  expect(told).toEqual(["first", "second"]);
});

test("a signal that has aborted tells at once, and no signal never", () => {
  const told: string[] = [];
  onAbort(AbortSignal.abort(), () => told.push("at once"));
  onAbort(undefined, () => told.push("never"));
  expect(told).toEqual(["at once"]);
});

test("a hundred calls with one signal are no reason for a warning", async () => {
  const { signal } = new AbortController();
  const warned = once(process, "warning", { signal: AbortSignal.timeout(200) }).catch(() => null);
  for (let place = 0; place < 100; place++) onAbort(signal, () => undefined);
  expect(await warned).toBeNull();
});
