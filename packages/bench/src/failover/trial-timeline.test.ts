import { expect, test } from "vitest";
import { type Acknowledgement, TrialTimeline } from "./trial-timeline.ts";

/** Term 2 before the signal, which comes at 1000 ms, after an acknowledgement at 990. */
function struck(): TrialTimeline {
  const timeline = new TrialTimeline({ survivors: 2, term: 2 });
  timeline.acknowledged(acknowledgement({ sentMs: 980, acknowledgedMs: 990, term: 2 }));
  timeline.signalled(1000);
  return timeline;
}

function acknowledgement(overrides: Partial<Acknowledgement>): Acknowledgement {
  return { survivor: 0, sentMs: 1004, acknowledgedMs: 1005, term: 3, ...overrides };
}

test("a failover lasts from the signal to the first acknowledgement in a later term, and to the last survivor's first one", () => {
  const timeline = struck();
  timeline.acknowledged(acknowledgement({ survivor: 1, sentMs: 1004, acknowledgedMs: 1200 }));
  expect(timeline.times()).toBeNull();
  timeline.acknowledged(acknowledgement({ survivor: 1, sentMs: 1100, acknowledgedMs: 1201 }));
  timeline.acknowledged(acknowledgement({ survivor: 0, sentMs: 1004, acknowledgedMs: 1230 }));
  expect(timeline.times()).toEqual({ firstMs: 200, failoverMs: 200, bothMs: 230, silenceMs: 200 });
});

test("a put that was sent before the signal ends the silence, but not the failover", () => {
  const timeline = struck();
  timeline.acknowledged(acknowledgement({ sentMs: 999, acknowledgedMs: 1050 }));
  timeline.acknowledged(acknowledgement({ survivor: 0, sentMs: 1001, acknowledgedMs: 1080 }));
  timeline.acknowledged(acknowledgement({ survivor: 1, sentMs: 1001, acknowledgedMs: 1090 }));
  expect(timeline.times()).toEqual({ firstMs: 80, failoverMs: 80, bothMs: 90, silenceMs: 50 });
});

test("what the old leader still takes is the first, but neither the failover nor the end of the silence", () => {
  const timeline = struck();
  timeline.acknowledged(acknowledgement({ survivor: 0, acknowledgedMs: 1002, sentMs: 1001, term: 2 }));
  timeline.acknowledged(acknowledgement({ survivor: 1, acknowledgedMs: 1003, sentMs: 1002, term: 2 }));
  expect(timeline.times()).toBeNull();
  timeline.acknowledged(acknowledgement({ survivor: 0, acknowledgedMs: 1500 }));
  timeline.acknowledged(acknowledgement({ survivor: 1, acknowledgedMs: 1501 }));
  expect(timeline.times()).toEqual({ firstMs: 2, failoverMs: 500, bothMs: 501, silenceMs: 497 });
});

test("what comes after both survivors are back changes nothing", () => {
  const timeline = struck();
  timeline.acknowledged(acknowledgement({ survivor: 0, acknowledgedMs: 1010 }));
  timeline.acknowledged(acknowledgement({ survivor: 1, acknowledgedMs: 1011 }));
  const times = timeline.times();
  timeline.acknowledged(acknowledgement({ survivor: 1, acknowledgedMs: 9000, term: 4 }));
  expect(timeline.times()).toEqual(times);
});

test("a later term before the signal says that the leader had changed", () => {
  expect(struck().movedEarly).toBe(false);
  const timeline = new TrialTimeline({ survivors: 2, term: 2 });
  timeline.acknowledged(acknowledgement({ term: 3 }));
  expect(timeline.movedEarly).toBe(true);
});
