import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FailureDetector } from "./failure-detector.ts";
import { timingOf } from "./timing.ts";

const timing = timingOf({ heartbeatMs: 100, electionMs: 1000 });
const LEADER = 7;

/** A follower on a time line of its own: ticks come in time unless it is stalled. */
class Follower {
  readonly detector = new FailureDetector(timing, 0);
  nowMs = 0;

  constructor() {
    this.detector.follow(LEADER, 0);
  }

  /** Ticks through `gapMs` and then hears the leader. */
  hearAfter(gapMs: number): void {
    const heardMs = this.nowMs + gapMs;
    this.tickUntil(heardMs);
    this.nowMs = heardMs;
    this.detector.heard(LEADER, heardMs);
  }

  /** True if the leader was suspected on the way. */
  tickUntil(endMs: number): boolean {
    let isSuspected = false;
    for (; this.nowMs + timing.tickMs <= endMs; isSuspected ||= this.detector.tick(this.nowMs)) this.nowMs += timing.tickMs;
    return isSuspected;
  }

  /** Milliseconds of silence until the leader is suspected. */
  silenceUntilSuspected(): number {
    const startMs = this.nowMs;
    while (!this.tickUntil(this.nowMs + timing.tickMs)) if (this.nowMs - startMs > 60_000) return Number.POSITIVE_INFINITY;
    return this.nowMs - startMs;
  }

  /** The process does not run for a while; then its timer fires once. */
  stall(durationMs: number): boolean {
    this.nowMs += durationMs;
    return this.detector.tick(this.nowMs);
  }
}

function listening(gapsMs: readonly number[]): Follower {
  const follower = new Follower();
  for (const gapMs of gapsMs) follower.hearAfter(gapMs);
  return follower;
}

const repeated = (count: number, gapMs: number): number[] => new Array<number>(count).fill(gapMs);

describe("the failure detector", () => {
  test("suspects a leader of an idle cluster after four heartbeats and no sooner", () => {
    const silenceMs = listening(repeated(100, 100)).silenceUntilSuspected();
    expect(silenceMs).toBeGreaterThan(400);
    expect(silenceMs).toBeLessThanOrEqual(400 + 2 * timing.tickMs);
  });

  test("has nothing to say of a leader that it does not know", () => {
    const follower = listening(repeated(10, 100));
    follower.detector.follow(0, follower.nowMs);
    expect(follower.silenceUntilSuspected()).toBe(Number.POSITIVE_INFINITY);
  });

  test("waits for twice the longest silence that the leader came back from", () => {
    const follower = listening([...repeated(50, 100), 350, ...repeated(50, 100)]);
    expect(follower.silenceUntilSuspected()).toBeGreaterThan(650);
  });

  test("forgets a long silence in the course of minutes", () => {
    const follower = listening([...repeated(50, 100), 450]);
    expect(follower.detector.limitMs).toBeGreaterThan(800);
    for (let count = 0; count < 1800; count++) follower.hearAfter(100);
    expect(follower.detector.limitMs).toBeLessThan(500);
  });

  test("does not learn haste from a flood of appends", () => {
    const follower = listening([...repeated(50, 100), ...repeated(5000, 1)]);
    expect(follower.detector.limitMs).toBeGreaterThanOrEqual(400);
  });

  test("gives a leader that has become slow more time at once", () => {
    const follower = listening([...repeated(50, 100), ...repeated(8, 300)]);
    expect(follower.detector.limitMs).toBeGreaterThan(600);
  });

  test("never waits for longer than an election time-out", () => {
    expect(listening(repeated(30, 900)).detector.limitMs).toBe(1000);
  });

  test("a new leader begins with the moment in which it came", () => {
    const follower = listening(repeated(50, 100));
    follower.tickUntil(follower.nowMs + 300);
    follower.detector.follow(LEADER + 1, follower.nowMs);
    expect(follower.silenceUntilSuspected()).toBeGreaterThan(400);
  });

  test("the silence between two leaders teaches nothing", () => {
    const follower = listening(repeated(50, 100));
    follower.tickUntil(follower.nowMs + 900);
    follower.detector.heard(LEADER + 1, follower.nowMs);
    expect(follower.detector.limitMs).toBe(400);
  });

  test("a process that was stopped for long suspects nobody when it runs again", () => {
    const follower = listening(repeated(50, 100));
    expect(follower.stall(60_000)).toBe(false);
    follower.detector.heard(LEADER, follower.nowMs);
    expect(follower.detector.limitMs).toBe(400);
    expect(follower.silenceUntilSuspected()).toBeGreaterThan(400);
  });

  test("a process that was stopped judges only after a tick that came in time", () => {
    const follower = listening(repeated(50, 100));
    follower.tickUntil(follower.nowMs + 400);
    expect(follower.stall(5000)).toBe(false);
    expect(follower.tickUntil(follower.nowMs + timing.tickMs)).toBe(true);
  });
});

describe("whatever gaps the leader leaves", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 390 }), { minLength: 1, maxLength: 200 });

  test("it is never suspected within four heartbeats, and always soon after an election time-out", () => {
    fc.assert(
      fc.property(gaps, (gapsMs) => {
        const silenceMs = listening(gapsMs).silenceUntilSuspected();
        expect(silenceMs).toBeGreaterThan(400);
        expect(silenceMs).toBeLessThanOrEqual(1000 + 2 * timing.tickMs);
      }),
    );
  });

  test("one that it has just come back from is never the next reason for suspicion", () => {
    fc.assert(
      fc.property(gaps, (gapsMs) => {
        const follower = listening([...gapsMs, ...repeated(2, 100)]);
        expect(follower.tickUntil(follower.nowMs + Math.max(...gapsMs.slice(-20)))).toBe(false);
      }),
    );
  });

  test("stalls of this process never lead to a suspicion while the leader is heard after them", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 50 }), (stallsMs) => {
        const follower = listening(repeated(20, 100));
        for (const stallMs of stallsMs) {
          expect(follower.stall(stallMs)).toBe(false);
          follower.detector.heard(LEADER, follower.nowMs);
          expect(follower.tickUntil(follower.nowMs + 75)).toBe(false);
          follower.hearAfter(25);
        }
        expect(follower.detector.limitMs).toBe(400);
      }),
    );
  });
});
