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
    isConnected: (id) => id !== 5,
  });

  /** Ticks in a time without a leader. */
  wait(fromMs: number, toMs: number): void {
    for (let nowMs = fromMs; nowMs <= toMs; nowMs += 100) this.watch.tick(nowMs, false);
  }

  /** Member `from` answers that it gives no vote; the mark is that of a repair. */
  refuse(from: number, mark: { readonly repairId?: number } = {}): void {
    this.watch.heard({ type: "requestPreVoteResponse", from, to: 1, term: 7, granted: false, ...mark });
  }

  /** Member `from` asks for a vote. */
  ask(from: number): void {
    this.watch.heard({ type: "requestPreVote", from, to: 1, term: 7, lastIndex: 1, lastTerm: 1, priority: 0 });
  }
}

test("says after five election time-outs how many voters are sound, how many are needed, and what it knows of the others", () => {
  const fixture = new Fixture();
  fixture.wait(0, 100);
  fixture.refuse(2);
  fixture.refuse(3, { repairId: 9 });
  fixture.watch.heard({ type: "readIndexRequest", from: 4, to: 1, requestId: 1 });
  fixture.wait(200, 4_900);
  expect(fixture.lines).toEqual([]);
  fixture.wait(5_000, 5_000);
  expect(fixture.lines).toMatchObject([
    {
      level: "warn",
      message: "there is no leader: 2 of 5 voters known to be sound, 3 needed",
      fields: {
        leaderlessMs: 5_000,
        sound: ["n1", "n2"],
        underRepair: ["n3"],
        silent: ["n4"],
        notConnected: ["n5"],
        gaveNoVote: ["n2", "n3"],
        thisMember: "sound",
        toDo: "start or connect n5",
      },
    },
  ]);
  expect(fixture.watch.finding).toBe(
    "2 of 5 voters known to be sound, 3 needed; under repair: n3; connected, but silent as quarantined members are: n4; not connected: n5. " +
      "To do: start or connect n5",
  );
});

test("names both majorities of a joint configuration, and its own trouble", () => {
  const fixture = new Fixture();
  fixture.memberState = "repairing";
  fixture.configuration = { ...votersOnly([1, 2, 3]), outgoing: [3, 4] };
  fixture.wait(0, 5_000);
  expect(fixture.lines).toMatchObject([
    {
      message: "there is no leader: 0 of 3 voters known to be sound, 2 needed; of the 2 that are being left 0, 2 needed",
      fields: { underRepair: ["n1"], silent: ["n2", "n3", "n4"], thisMember: "repairing", toDo: expect.stringMatching(/^ask n2, n3, n4 /) },
    },
  ]);
});

test("repeats itself ever more rarely, with what it heard since", () => {
  const fixture = new Fixture();
  fixture.wait(0, 5_000);
  fixture.ask(2);
  fixture.wait(5_100, 400_000);
  expect(fixture.lines.map(({ fields }) => fields?.["leaderlessMs"])).toEqual([
    5_000, 15_000, 35_000, 75_000, 155_000, 235_000, 315_000, 395_000,
  ]);
  expect(fixture.lines[1]?.fields).toMatchObject({ sound: ["n1", "n2"], silent: ["n3", "n4"] });
  expect(fixture.lines[2]?.fields).toMatchObject({ sound: ["n1"], silent: ["n2", "n3", "n4"] });
});

test("says that a majority can't become sound by itself, and that a sound one is enough", () => {
  const fixture = new Fixture();
  fixture.configuration = votersOnly([1, 2, 3]);
  fixture.wait(0, 100);
  for (const from of [2, 3]) fixture.refuse(from, { repairId: from });
  fixture.wait(200, 5_100);
  for (const from of [2, 3]) fixture.refuse(from);
  fixture.wait(5_200, 15_100);
  expect(fixture.lines.map(({ fields }) => fields?.["toDo"])).toMatchObject([
    expect.stringMatching(/^a majority is damaged/),
    expect.stringMatching(/^enough are sound/),
  ]);
});

test("says nothing while somebody leads, and begins anew with each loss of a leader", () => {
  const fixture = new Fixture();
  fixture.wait(0, 4_000);
  fixture.watch.tick(4_100, true);
  expect(fixture.watch.finding).toBe(null);
  fixture.wait(4_200, 9_100);
  expect(fixture.lines).toEqual([]);
  fixture.wait(9_200, 9_200);
  expect(fixture.lines).toHaveLength(1);
});
