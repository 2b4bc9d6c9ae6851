import { afterEach, describe, expect, test } from "vitest";
import { DiskWatch } from "./disk-watch.ts";
import { closeGroups, electedGroup, text } from "./testing/group-fixture.ts";
import { type LogLine, recordingLogger } from "./testing/recording-logger.ts";
import { watched } from "./testing/watched.ts";

afterEach(closeGroups);

class Fixture {
  writeAgeMs = 0;
  stalls = 0;
  readonly lines: LogLine[] = [];
  readonly watch = new DiskWatch({
    logStore: {
      metrics: () => ({ batches: 0, entries: 0, bytes: 0, writeMs: { boundsMs: [], counts: [], sumMs: 0 }, writeAgeMs: this.writeAgeMs }),
    },
    logger: recordingLogger(this.lines),
    electionMs: 1_000,
    onStalledLeader: () => {
      this.stalls++;
    },
  });

  /** Ticks at which the write under way has these ages. */
  look(agesMs: readonly number[], isLeader = false): void {
    for (const ageMs of agesMs) {
      this.writeAgeMs = ageMs;
      this.watch.tick(isLeader);
    }
  }

  get warned(): readonly (number | undefined)[] {
    return this.lines.map(({ fields }) => fields?.["writeAgeMs"] as number);
  }
}

describe("the watch of the disk", () => {
  test("says how old a write is that takes more than a second, and again when that has doubled", () => {
    const fixture = new Fixture();
    fixture.look([0, 400, 990, 1_010, 1_500, 1_990, 2_010, 3_900, 4_100, 20_000]);
    expect(fixture.warned).toEqual([1_010, 2_010, 4_100, 20_000]);
  });

  test("says when a slow write has ended, and looks at the next one afresh", () => {
    const fixture = new Fixture();
    fixture.look([1_200, 2_600, 0, 900, 10, 1_100]);
    expect(fixture.lines.map(({ message, fields }) => [message, fields?.["writeAgeMs"]])).toEqual([
      ["waits for its disk", 1_200],
      ["waits for its disk", 2_600],
      ["ended a slow write to its disk", 2_600],
      ["waits for its disk", 1_100],
    ]);
  });

  test("tells a leader once in each election time-out, and nobody else", () => {
    const fixture = new Fixture();
    fixture.look([900, 1_100, 1_500, 2_050, 2_150], true);
    expect(fixture.stalls).toBe(2);
    fixture.look([3_500, 6_000]);
    expect(fixture.stalls).toBe(2);
  });
});

describe("a leader whose disk stands still", () => {
  test("sends heartbeats, and hands leadership to a member that can write", async () => {
    const group = await electedGroup();
    const { id, store, node, log } = group.leader;
    store.hold();
    const proposal = watched(node.propose(text("held up")));
    await group.advance(900);
    expect([group.leader.id, proposal.value]).toEqual([id, null]);
    await group.advance(400);
    expect(group.leader.id).not.toBe(id);
    expect(log.filter(({ message }) => message === "waits for its disk")).toHaveLength(1);
    const others = watched(group.leader.node.propose(text("meanwhile")));
    await group.advance(300);
    expect(others.value).toBe("meanwhile");
    store.release();
    await group.advance(300);
    expect(proposal.value).toBe("held up");
  });

  test("goes on while nobody takes over", async () => {
    const group = await electedGroup();
    const { id, store, node } = group.leader;
    group.isCarried = ({ type }) => type !== "timeoutNow";
    store.hold();
    const proposal = watched(node.propose(text("held up")));
    await group.advance(4_000);
    expect([group.leader.id, group.leader.node.term]).toEqual([id, node.term]);
    expect(group.sent.filter(({ type }) => type === "timeoutNow").map(({ to }) => to)).toEqual(
      expect.arrayContaining(group.followers.map((member) => member.id)),
    );
    store.release();
    await group.advance(1_200);
    expect(proposal.value).toBe("held up");
  });
});
