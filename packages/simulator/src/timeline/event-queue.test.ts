import fc from "fast-check";
import { expect, test } from "vitest";
import { EventQueue, type SimulatedEvent } from "./event-queue.ts";

function event(timeUs: number, sequence: number): SimulatedEvent {
  return { timeUs, sequence, kind: "test", owner: null, action: () => {} };
}

test("events come out by time, and by age where times are equal, whatever was cancelled", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ timeUs: fc.nat(50), isCancelled: fc.boolean() }), { maxLength: 200 }), (wanted) => {
      const queue = new EventQueue();
      const events = wanted.map(({ timeUs }, sequence) => event(timeUs, sequence));
      for (const one of events) queue.push(one);
      for (const [position, one] of events.entries()) if (wanted[position]?.isCancelled === true) queue.cancel(one);
      const expected = events
        .filter((one) => one.action !== null)
        .sort((a, b) => a.timeUs - b.timeUs || a.sequence - b.sequence)
        .map((one) => one.sequence);
      expect(queue.waiting).toBe(expected.length);
      const popped: number[] = [];
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) popped.push(next.sequence);
      expect(popped).toEqual(expected);
      expect(queue.waiting).toBe(0);
    }),
  );
});

test("cancelled events don't pile up", () => {
  const queue = new EventQueue();
  queue.push(event(1, 0));
  for (let sequence = 1; sequence <= 100_000; sequence++) {
    const timer = event(1_000_000, sequence);
    queue.push(timer);
    queue.cancel(timer);
    queue.cancel(timer);
  }
  expect(queue.waiting).toBe(1);
  expect(queue.pop()?.sequence).toBe(0);
  expect(queue.pop()).toBeUndefined();
});
