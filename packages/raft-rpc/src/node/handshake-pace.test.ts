import { describe, expect, test } from "vitest";
import type { TurnTaker } from "../server/turn-line.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { HandshakePace } from "./handshake-pace.ts";

const rate = { burst: 2, perSecond: 10 };
/** The time of one more, and what the wheel may be late. */
const nextMs = 100 + 8;

/** A pace, and who began by it. Takers are named by their origin and a number. */
function start(): { clock: ManualClock; pace: HandshakePace; begun: string[]; enter: (...names: readonly string[]) => TurnTaker[] } {
  const clock = new ManualClock();
  const pace = new HandshakePace(clock, rate);
  const begun: string[] = [];
  const enter = (...names: readonly string[]): TurnTaker[] => {
    const takers = names.map((name) => ({ origin: name.slice(0, 1), takeTurn: () => void begun.push(name) }));
    for (const taker of takers) pace.enter(taker);
    return takers;
  };
  return { clock, pace, begun, enter };
}

describe("handshakes", () => {
  test("begin one in a turn, and origins take turns", () => {
    const { clock, begun, enter } = start();
    enter("a1", "a2", "b1");
    const seen = [begun.length];
    while (clock.endTurn()) seen.push(begun.length);
    expect([seen, begun]).toEqual([
      [0, 1, 2, 3],
      ["a1", "b1", "a2"],
    ]);
  });

  test("that came to nothing let others from there wait for the rate: the newest is the next", () => {
    const { clock, begun, enter } = start();
    enter("a1", "a2", "a3", "a4", "a5", "b1");
    clock.settle();
    expect(begun).toEqual(["a1", "b1", "a2"]);
    clock.advance(90);
    expect(begun).toHaveLength(3);
    clock.advance(nextMs - 90);
    expect(begun.slice(3)).toEqual(["a5"]);
    enter("a6");
    clock.advance(3 * nextMs);
    expect(begun.slice(4)).toEqual(["a6", "a4", "a3"]);
    expect(clock.timerCount).toBe(0);
  });

  test("that came to something make room for the next at once, and earn nothing beyond that", () => {
    const { clock, pace, begun, enter } = start();
    enter("a1", "a2", "a3", "a4");
    clock.settle();
    pace.earn("a");
    clock.settle();
    expect(begun).toEqual(["a1", "a2", "a4"]);
    for (let count = 0; count < 100; count++) pace.earn("a");
    clock.settle();
    enter("a5", "a6", "a7", "a8");
    clock.settle();
    expect(begun.slice(3)).toHaveLength(3);
    pace.earn("nobody knows");
  });

  test("whose clients leave do not begin", () => {
    const { clock, pace, begun, enter } = start();
    const takers = enter("a1", "a2", "a3", "a4");
    const [inLine, , waiting, lastWaiting] = takers;
    expect([inLine, waiting].map((taker) => taker !== undefined && pace.leave(taker))).toEqual([true, true]);
    clock.settle();
    expect(begun).toEqual(["a2"]);
    expect(takers.slice(0, 3).map((taker) => pace.leave(taker))).toEqual([false, false, false]);
    expect(lastWaiting !== undefined && pace.leave(lastWaiting)).toBe(true);
    clock.advance(10_000);
    expect([begun, clock.timerCount]).toEqual([["a2"], 0]);
  });
});

test("a rate of nothing a second lets those begin that others make room for", () => {
  const clock = new ManualClock();
  const pace = new HandshakePace(clock, { burst: 1, perSecond: 0 });
  let begun = 0;
  for (let count = 0; count < 3; count++) pace.enter({ origin: "a", takeTurn: () => begun++ });
  clock.advance(1_000_000);
  expect(begun).toBe(1);
  pace.earn("a");
  clock.settle();
  expect(begun).toBe(2);
});
