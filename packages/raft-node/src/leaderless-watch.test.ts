import { votersOnly } from "@raftkv/raft-core";
import { expect, test } from "vitest";
import { LeaderlessWatch } from "./leaderless-watch.ts";
import type { MemberState } from "./node-metrics.ts";
import { type LogLine, recordingLogger } from "./testing/recording-logger.ts";

class Fixture {
  readonly lines: LogLine[] = [];
  memberState: MemberState = "sound";
  configuration = votersOnly([1, 2, 3, 4, 5]);
  readonly watch = new LeaderlessWatch({
    self: 1,
    electionMs: 1_000,
    logger: recordingLogger(this.lines),
    nameOf: (id) => `n${id}`,
    configuration: () => this.configuration,
    memberState: () => this.memberState,
  });

  /** Ticks in a time without a leader. */
  wait(fromMs: number, toMs: number): void {
    for (let nowMs = fromMs; nowMs <= toMs; nowMs += 100) this.watch.tick(nowMs, false);
  }

  refuse(from: number): void {
    this.watch.heard(from);
    this.watch.observe({ type: "voteReceived", phase: "preVote", from, granted: false, ownTerm: 7 });
  }
}

test("says after five election time-outs how many sound voters are needed, and who is away or gave no vote", () => {
  const fixture = new Fixture();
  fixture.wait(0, 100);
  fixture.watch.heard(2);
  fixture.refuse(3);
  fixture.wait(200, 4_900);
  expect(fixture.lines).toEqual([]);
  fixture.wait(5_000, 5_000);
  expect(fixture.lines).toMatchObject([
    {
      level: "warn",
      fields: {
        leaderlessMs: 5_000,
        soundVotersNeeded: 3,
        voters: ["n1", "n2", "n3", "n4", "n5"],
        notHeardFrom: ["n4", "n5"],
        gaveNoVote: ["n3"],
        thisMember: "sound",
      },
    },
  ]);
});

test("names both majorities of a joint configuration, and its own trouble", () => {
  const fixture = new Fixture();
  fixture.memberState = "repairing";
  fixture.configuration = { ...votersOnly([1, 2, 3]), outgoing: [3, 4] };
  fixture.wait(0, 5_000);
  expect(fixture.lines.map(({ fields }) => fields)).toMatchObject([
    { soundVotersNeeded: 2, soundOutgoingNeeded: 2, outgoing: ["n3", "n4"], notHeardFrom: ["n2", "n3", "n4"], thisMember: "repairing" },
  ]);
});

test("repeats itself ever more rarely, with what it heard since", () => {
  const fixture = new Fixture();
  fixture.wait(0, 5_000);
  fixture.watch.heard(2);
  fixture.wait(5_100, 400_000);
  expect(fixture.lines.map(({ fields }) => fields?.["leaderlessMs"])).toEqual([
    5_000, 15_000, 35_000, 75_000, 155_000, 235_000, 315_000, 395_000,
  ]);
  expect(fixture.lines[1]?.fields).toMatchObject({ notHeardFrom: ["n3", "n4", "n5"] });
  expect(fixture.lines[2]?.fields).toMatchObject({ notHeardFrom: ["n2", "n3", "n4", "n5"] });
});

test("says nothing while somebody leads, and begins anew with each loss of a leader", () => {
  const fixture = new Fixture();
  fixture.wait(0, 4_000);
  fixture.watch.tick(4_100, true);
  fixture.wait(4_200, 9_100);
  expect(fixture.lines).toEqual([]);
  fixture.wait(9_200, 9_200);
  expect(fixture.lines).toHaveLength(1);
});
