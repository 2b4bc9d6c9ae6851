import fc from "fast-check";
import { expect, test } from "vitest";
import { PartialBudget } from "./partial-budget.ts";

class Message {
  readonly byteCount: number;
  granted = false;

  constructor(byteCount: number) {
    this.byteCount = byteCount;
  }

  budgetGranted(): void {
    if (this.granted) throw new Error("A share is given twice");
    this.granted = true;
  }
}

test("a message that does not fit waits, and those behind it wait too", () => {
  const budget = new PartialBudget(10);
  const [first, large, small] = [new Message(6), new Message(8), new Message(1)];
  expect([first, large, small].map((message) => budget.take(message, message.byteCount))).toEqual([true, false, false]);
  budget.release(6);
  expect([large.granted, small.granted, budget.heldBytes]).toEqual([true, true, 9]);
});

test("when the head of the line leaves it, those behind it are served", () => {
  const budget = new PartialBudget(10);
  const [first, large, small] = [new Message(6), new Message(8), new Message(1)];
  for (const message of [first, large, small]) budget.take(message, message.byteCount);
  budget.cancel(large);
  expect([large.granted, small.granted, budget.heldBytes]).toEqual([false, true, 7]);
});

test("a message larger than the limit is served when it is alone", () => {
  const budget = new PartialBudget(10);
  const [first, huge] = [new Message(1), new Message(100)];
  budget.take(first, 1);
  expect(budget.take(huge, 100)).toBe(false);
  budget.release(1);
  expect([huge.granted, budget.heldBytes]).toEqual([true, 100]);
});

test("nobody is served after the end", () => {
  const budget = new PartialBudget(10);
  const [first, second] = [new Message(10), new Message(10)];
  budget.take(first, 10);
  budget.take(second, 10);
  budget.close();
  budget.release(10);
  expect([second.granted, budget.heldBytes, budget.waitingCount]).toEqual([false, 0, 0]);
});

test("whatever comes and goes, the limit holds, the order holds, and the line moves when there is room", () => {
  const step = fc.record({
    kind: fc.constantFrom("take", "take", "release", "cancel"),
    bytes: fc.integer({ min: 1, max: 15 }),
    which: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const bytesMax = 20;
      const budget = new PartialBudget(bytesMax);
      let held: Message[] = [];
      let line: Message[] = [];
      for (const { kind, bytes, which } of steps) {
        if (kind === "take") {
          const message = new Message(bytes);
          if (budget.take(message, bytes)) held.push(message);
          else line.push(message);
        } else if (kind === "release" && held.length > 0) {
          const [message] = held.splice(which % held.length, 1);
          budget.release(message?.byteCount ?? 0);
        } else if (kind === "cancel" && line.length > 0) {
          const [message] = line.splice(which % line.length, 1);
          if (message !== undefined) budget.cancel(message);
        }
        const served = line.filter((message) => message.granted);
        expect(line.slice(0, served.length)).toEqual(served);
        held = [...held, ...served];
        line = line.slice(served.length);
        const heldBytes = held.reduce((sum, message) => sum + message.byteCount, 0);
        expect([budget.heldBytes, budget.waitingCount]).toEqual([heldBytes, line.length]);
        expect(heldBytes).toBeLessThanOrEqual(bytesMax);
        const headBytes = line[0]?.byteCount ?? Number.POSITIVE_INFINITY;
        expect(heldBytes > 0 || line.length === 0, "somebody waits though nobody holds anything").toBe(true);
        expect(heldBytes + headBytes, "the head of the line waits though it fits").toBeGreaterThan(bytesMax);
      }
    }),
  );
});
