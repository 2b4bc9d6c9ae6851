import fc from "fast-check";
import { expect, test } from "vitest";
import { HeldMemory, type MemoryHolder } from "./held-memory.ts";

class Holder implements MemoryHolder {
  heldBytes = 0;
  countedBytes = 0;
  hasEnded = false;

  giveUp(): void {
    this.hasEnded = true;
    this.heldBytes = 0;
  }
}

function enter(memory: HeldMemory, heldBytes: number): Holder {
  const holder = new Holder();
  memory.enter(holder);
  holder.heldBytes = heldBytes;
  memory.update(holder);
  return holder;
}

test("above the limit, those that hold the most end, and no more than must", () => {
  const memory = new HeldMemory(100);
  const holders = [30, 50, 10, 20].map((heldBytes) => enter(memory, heldBytes));
  expect(holders.map((holder) => holder.hasEnded)).toEqual([false, true, false, false]);
  expect(memory.bytes).toBe(60);
});

test("what was given back meanwhile is no longer counted, before anybody ends", () => {
  const memory = new HeldMemory(100);
  const first = enter(memory, 90);
  first.heldBytes = 10;
  const second = enter(memory, 80);
  expect([first.hasEnded, second.hasEnded, memory.bytes]).toEqual([false, false, 90]);
});

test("a single holder may not hold more than all", () => {
  const memory = new HeldMemory(100);
  expect([enter(memory, 101).hasEnded, memory.bytes]).toEqual([true, 0]);
});

test("the sum is that of those who are there, and never above the limit", () => {
  const step = fc.record({ place: fc.nat(9), heldBytes: fc.nat(60), leaves: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const memory = new HeldMemory(200);
      const holders = Array.from({ length: 10 }, () => enter(memory, 0));
      for (const { place, heldBytes, leaves } of steps) {
        const holder = holders[place];
        if (holder === undefined || holder.hasEnded) continue;
        if (leaves) {
          memory.leave(holder);
          holders[place] = enter(memory, 0);
        } else {
          holder.heldBytes = heldBytes;
          memory.update(holder);
        }
        expect(memory.bytes).toBe(holders.reduce((sum, { countedBytes }) => sum + countedBytes, 0));
        expect(memory.bytes).toBeLessThanOrEqual(200);
      }
    }),
  );
});
