import { expect, test } from "vitest";
import { CommitWait } from "./commit-wait.ts";
import { ManualClock } from "./testing/manual-clock.ts";

const stepMs = 0.25;

/** A leader's commit index, and what its followers know of it. */
class Leader {
  readonly toldAtMs: number[] = [];
  readonly wait: CommitWait;
  private readonly time = { nowMs: 0 };
  private readonly clock = new ManualClock(this.time);
  private commit = 0;
  private told = 0;

  constructor() {
    const commit = (): number => this.commit;
    const core = {
      get commit(): number {
        return commit();
      },
      isCommitUntold: (index: number) => this.told < index,
    };
    const onOver = (): void => {
      this.told = this.commit;
      this.toldAtMs.push(this.nowMs);
    };
    this.wait = new CommitWait({ clock: this.clock, core, onOver });
  }

  get nowMs(): number {
    return this.time.nowMs;
  }

  reach(): void {
    this.commit++;
    this.wait.begin();
  }

  /** Entries go out, and take along what was committed before. */
  takeAlong(): void {
    this.told = this.commit;
  }

  pass(ms: number): void {
    for (const endMs = this.nowMs + ms; this.time.nowMs < endMs; this.clock.fireTimers()) this.time.nowMs += stepMs;
  }

  /** An entry goes out and is committed every half a millisecond. */
  write(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.pass(0.5)) {
      this.takeAlong();
      this.reach();
    }
  }
}

test("a commit index that nothing takes along travels by itself after a millisecond", () => {
  const leader = new Leader();
  leader.reach();
  leader.pass(10);
  expect(leader.toldAtMs).toEqual([1]);
});

test("one that is reached while another waits has its own time after that", () => {
  const leader = new Leader();
  leader.reach();
  leader.pass(0.75);
  leader.takeAlong();
  leader.reach();
  leader.pass(10);
  expect(leader.toldAtMs).toEqual([3]);
});

test("under steady writes none travels by itself, and the last one after eight milliseconds at most", () => {
  for (let ms = 1; ms < 60; ms++) {
    const leader = new Leader();
    leader.write(ms);
    expect(leader.toldAtMs).toEqual([]);
    leader.pass(8);
    expect(leader.toldAtMs).toHaveLength(1);
  }
});

test("when one has travelled by itself, the next waits a millisecond again", () => {
  const leader = new Leader();
  leader.write(50);
  leader.pass(8);
  const startMs = leader.nowMs;
  leader.reach();
  leader.pass(8);
  expect(leader.toldAtMs.slice(1)).toEqual([startMs + 1]);
});

test("nothing comes any more after it was cancelled", () => {
  const leader = new Leader();
  leader.reach();
  leader.wait.cancel();
  leader.pass(10);
  expect(leader.toldAtMs).toEqual([]);
});
