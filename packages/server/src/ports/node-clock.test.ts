import { expect, test } from "vitest";
import { NodeClock } from "./node-clock.ts";

test("a timer beyond Node's own limit of 24.8 days does not fire at once", async () => {
  const clock = new NodeClock();
  let hasFired = false;
  const timer = clock.setTimer(3_000_000_000, () => {
    hasFired = true;
  });
  await new Promise<void>((resolve) => void clock.setTimer(20, resolve));
  timer.cancel();
  expect(hasFired).toBe(false);
});

test("what the end of a turn asks for follows in the same pass, and what that asks for in the next", async () => {
  const clock = new NodeClock();
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    clock.atEndOfTurn(() => {
      order.push("turn");
      setImmediate(() => void order.push("next pass"));
      clock.atEndOfTurn(() => {
        order.push("flush");
        clock.atEndOfTurn(() => {
          order.push("later");
          resolve();
        });
      });
    });
  });
  expect(order).toEqual(["turn", "flush", "next pass", "later"]);
});
