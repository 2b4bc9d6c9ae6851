import { expect, test } from "vitest";
import { DeferredLogger } from "./deferred-logger.ts";
import type { LogFields } from "./ports.ts";
import { ManualClock } from "./testing/manual-clock.ts";

class Fixture {
  readonly lines: unknown[] = [];
  readonly time = { nowMs: 1_000 };
  readonly clock = new ManualClock(this.time);
  readonly logger = new DeferredLogger(
    { debug: this.at("debug"), info: this.at("info"), warn: this.at("warn"), error: this.at("error") },
    this.clock,
  );

  pass(ms: number): void {
    this.time.nowMs += ms;
    this.clock.fireTimers();
  }

  private at(level: string) {
    return (message: string, fields?: LogFields, atMs?: number): void => void this.lines.push([level, message, fields, atMs]);
  }
}

test("lines are written later, in order, once, each at its level and with the time at which it was said", () => {
  const fixture = new Fixture();
  const { logger, lines, clock } = fixture;
  logger.info("first", { term: 1 });
  logger.info("second");
  fixture.time.nowMs += 3;
  logger.warn("third");
  logger.debug("fourth");
  clock.endTurn();
  clock.fireTimers();
  expect(lines).toEqual([]);
  fixture.time.nowMs += 20;
  clock.fireTimers();
  expect(lines).toEqual([
    ["info", "first", { term: 1 }, 1_000],
    ["info", "second", undefined, 1_000],
    ["warn", "third", undefined, 1_003],
    ["debug", "fourth", undefined, 1_003],
  ]);
});

test("lines that come after others were written wait as long", () => {
  const fixture = new Fixture();
  fixture.logger.info("first");
  fixture.pass(20);
  fixture.logger.info("second");
  fixture.pass(19);
  expect(fixture.lines).toHaveLength(1);
  fixture.pass(1);
  expect(fixture.lines).toHaveLength(2);
});

test("what is kept is written at once when it is flushed, and not again", () => {
  const fixture = new Fixture();
  fixture.logger.info("last words");
  fixture.logger.flush();
  expect(fixture.lines).toEqual([["info", "last words", undefined, 1_000]]);
  fixture.pass(20);
  expect(fixture.lines).toHaveLength(1);
});

test("an error is written at once, after what was kept before it", () => {
  const fixture = new Fixture();
  fixture.logger.info("before");
  fixture.logger.error("lost the disk");
  expect(fixture.lines).toEqual([
    ["info", "before", undefined, 1_000],
    ["error", "lost the disk", undefined, 1_000],
  ]);
});
