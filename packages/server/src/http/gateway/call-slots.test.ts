import { expect, test } from "vitest";
import { CallSlots, type SlotHolder } from "./call-slots.ts";

/** A call that runs until it is told to leave. */
class Call implements SlotHolder {
  hasBegun = false;

  begin(): void {
    this.hasBegun = true;
  }
}

test("calls above the limit begin in their order, when others leave", () => {
  const slots = new CallSlots(2);
  const [first, second, third, fourth, fifth] = [new Call(), new Call(), new Call(), new Call(), new Call()];
  const calls = [first, second, third, fourth, fifth];
  for (const call of calls) expect(slots.enter(call)).toBe(true);
  const begun = (): number[] => calls.flatMap((call, place) => (call.hasBegun ? [place] : []));
  expect(begun()).toEqual([0, 1]);
  // One that waits and goes takes nobody's place, and leaving twice makes no room.
  for (const call of [third, first, first]) slots.leave(call);
  expect(begun()).toEqual([0, 1, 3]);
  slots.leave(fourth);
  expect(begun()).toEqual([0, 1, 3, 4]);
});

test("the line has an end, and calls that end at once empty it", () => {
  const slots = new CallSlots(1);
  const first = new Call();
  slots.enter(first);
  let ended = 0;
  const enterShort = (): boolean => {
    const short: SlotHolder = {
      begin() {
        ended++;
        slots.leave(short);
      },
    };
    return slots.enter(short);
  };
  let waiting = 0;
  while (enterShort()) waiting++;
  expect([waiting, ended]).toEqual([1_000, 0]);
  slots.leave(first);
  expect(ended).toBe(1_000);
  expect([enterShort(), ended]).toEqual([true, 1_001]);
});
