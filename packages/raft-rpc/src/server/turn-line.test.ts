import { expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { TurnLine, type TurnTaker } from "./turn-line.ts";

/** Wants so many turns, and writes down each that it gets. */
class Worker implements TurnTaker {
  readonly origin: string;
  readonly name: string;
  readonly #line: TurnLine;
  readonly #served: string[];
  #turnsWanted: number;

  constructor(name: string, turnsWanted: number, line: TurnLine, served: string[]) {
    this.name = name;
    this.origin = name.slice(0, 1);
    this.#line = line;
    this.#served = served;
    this.#turnsWanted = turnsWanted;
    line.enter(this);
  }

  takeTurn(): void {
    this.#served.push(this.name);
    this.#turnsWanted--;
    if (this.#turnsWanted > 0) this.#line.enter(this);
  }
}

function start(wanted: Readonly<Record<string, number>>): { clock: ManualClock; line: TurnLine; served: string[]; workers: Worker[] } {
  const clock = new ManualClock();
  const line = new TurnLine(clock);
  const served: string[] = [];
  const workers = Object.entries(wanted).map(([name, turns]) => new Worker(name, turns, line, served));
  return { clock, line, served, workers };
}

test("one is served in a turn, and all of an origin one after another", () => {
  const { clock, served } = start({ a1: 2, a2: 2, a3: 1 });
  clock.endTurn();
  expect(served).toEqual(["a1"]);
  clock.settle();
  expect(served).toEqual(["a1", "a2", "a3", "a1", "a2"]);
});

test("origins take turns, however many of one there are", () => {
  const { clock, served } = start({ a1: 3, a2: 3, a3: 3, b1: 3, c1: 1 });
  clock.settle();
  expect(served.join(" ")).toBe("a1 b1 c1 a2 b1 a3 b1 a1 a2 a3 a1 a2 a3");
});

test("who leaves is not served, and may enter again", () => {
  const { clock, line, served, workers } = start({ a1: 1, b1: 1 });
  for (const worker of workers) line.leave(worker);
  clock.settle();
  expect(served).toEqual([]);
  for (const worker of workers) line.enter(worker);
  clock.settle();
  expect(served).toEqual(["a1", "b1"]);
});
