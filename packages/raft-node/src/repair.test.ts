import { type LogEntry, type PeerMessage, votersOnly } from "@raftkv/raft-core";
import { afterEach, describe, expect, test } from "vitest";
import { EntriesLostError } from "./entries-lost-error.ts";
import { closeGroups, electedGroup, groupOf, text } from "./testing/group-fixture.ts";
import { MemoryGroup, type MemoryMember } from "./testing/memory-group.ts";
import type { MemoryLogStore } from "./testing/memory-log-store.ts";
import { watched } from "./testing/watched.ts";

afterEach(closeGroups);

const founders = { voters: [1, 2, 3], outgoing: [], learners: [], learnersNext: [], autoLeave: false };

/** Three members that have applied ten commands; one of the followers is to be damaged. */
async function filledGroup(): Promise<{ readonly group: MemoryGroup; readonly victim: MemoryMember }> {
  const group = await electedGroup();
  for (let number = 1; number <= 10; number++) void group.leader.node.propose(text(`line ${number}`));
  await group.advance(300);
  const [victim] = group.followers;
  if (victim === undefined) throw new Error("There are followers");
  return { group, victim };
}

const lines = Array.from({ length: 10 }, (_, i) => `line ${i + 1}`);
const answersOf = (group: MemoryGroup, id: number, since: number): readonly PeerMessage[] =>
  group.sent.slice(since).filter(({ type, from }) => from === id && /^(appendEntries|heartbeat)Response$/.test(type));
const messagesOf = ({ log }: MemoryMember): readonly string[] => log.map(({ message }) => message);

describe("a member whose store lost entries that it had acknowledged", () => {
  test("gets them again from the leader, says so, and then its vote is needed and given", async () => {
    const { group, victim } = await filledGroup();
    const before = group.sent.length;
    const repaired = await group.restart(victim.id, {}, (store) => store.loseEntries(5));
    expect(repaired.node.memberState).toBe("repairing");
    await group.advance(500);
    expect(repaired.journal.lines).toEqual(lines);
    expect([repaired.node.memberState, repaired.node.repair]).toEqual(["sound", null]);
    expect(repaired.store.recovered.lost).toBe(null);
    expect(answersOf(group, victim.id, before)[0]).toHaveProperty("repairId");
    expect(answersOf(group, victim.id, before).at(-1)).not.toHaveProperty("repairId");

    const { id, node } = group.leader;
    group.kill(id);
    await group.elect();
    await group.advance(200);
    const proposal = watched(group.leader.node.propose(text("after")));
    await group.advance(200);
    expect([proposal.value, group.leader.node.term > node.term]).toEqual(["after", true]);
  });

  test("writes down what was lost, up to where it needs the log again, and the end; its leader does too", async () => {
    const { group, victim } = await filledGroup();
    const repaired = await group.restart(victim.id, {}, (store) => store.loseEntries(5));
    await group.advance(500);
    expect(repaired.log.filter(({ level }) => level === "error")).toMatchObject([{ fields: { from: 5, description: "a test says so" } }]);
    expect(messagesOf(repaired)).toEqual(
      expect.arrayContaining([
        expect.stringContaining("knows up to where it needs the leader's log"),
        expect.stringContaining("has everything again"),
      ]),
    );
    expect(messagesOf(group.leader)).toEqual(
      expect.arrayContaining([expect.stringContaining("repairs a member"), expect.stringContaining("counts on a member again")]),
    );
  });

  test("forwards writes and serves linearizable reads meanwhile, but does not show what it has by itself", async () => {
    const { group, victim } = await filledGroup();
    // The end of the repair does not become durable.
    const repairing = await group.restart(victim.id, {}, (store) => {
      store.loseEntries(5);
      store.endRepair = () => new Promise(() => undefined);
    });
    await group.advance(300);
    const proposal = watched(repairing.node.propose(text("forwarded")));
    await group.advance(200);
    const read = watched(repairing.node.readBarrier());
    const local = watched(new Promise((succeed, fail) => repairing.node.readLocally({ succeed, fail })));
    await group.advance(200);
    expect([proposal.value, repairing.journal.lines.at(-1)]).toEqual(["forwarded", "forwarded"]);
    expect(read.error).toBe(null);
    expect(read.value).toBe(group.leader.node.status().commit);
    expect(local.error).toMatchObject({ code: "ERR_UNDER_REPAIR", retryable: "safe" });
    expect(repairing.node.repair).toMatchObject({ from: 5, description: "a test says so", target: expect.any(Number) });
  });

  test("gives no vote, and takes part only when its store has recorded the end", async () => {
    const { group, victim } = await filledGroup();
    let recordEnd = (): void => undefined;
    const repairing = await group.restart(victim.id, {}, (store) => {
      store.loseEntries(5);
      store.endRepair = () =>
        new Promise((resolve) => {
          recordEnd = resolve;
        });
    });
    await group.advance(300);
    expect(repairing.journal.lines).toEqual(lines);
    const { id } = group.leader;
    group.kill(id);
    await expect(group.elect(4_000)).rejects.toThrow("Nobody was elected");
    recordEnd();
    await group.advance(100);
    expect(repairing.node.memberState).toBe("sound");
    await group.elect();
    expect(group.leader.id).not.toBe(id);
  });

  test("stops if its store can't record the end", async () => {
    const { group, victim } = await filledGroup();
    const repairing = await group.restart(victim.id, {}, (store) => {
      store.loseEntries(5);
      store.endRepair = () => Promise.reject(new Error("The disk is gone"));
    });
    await group.advance(500);
    expect(repairing.failures).toMatchObject([{ message: "The disk is gone" }]);
  });

  test("that has not even a snapshot left starts from the founders, and gets everything from the leader", async () => {
    const { group, victim } = await filledGroup();
    const repaired = await group.restart(victim.id, { founders }, (store) => store.loseEverything());
    await group.advance(1_000);
    expect(repaired.journal.lines).toEqual(lines);
    expect(repaired.node.memberState).toBe("sound");
  });

  test("is repaired again if more is lost on the way, and all the others may be damaged one after the other", async () => {
    const { group } = await filledGroup();
    for (const id of [1, 2, 3, 1]) {
      await group.restart(id, {}, (store) => store.loseEntries(6));
      await group.advance(20);
      const again = await group.restart(id, {}, (store) => store.loseEntries(4));
      await group.elect();
      await group.advance(1_000);
      expect([again.node.memberState, again.journal.lines]).toEqual(["sound", lines]);
    }
  });
});

describe("a group that nobody can lead because of what was lost", () => {
  test("says how many sound voters it needs, who is under repair, and what is left to do", async () => {
    const { group } = await filledGroup();
    const { id } = group.leader;
    const others = group.followers.map((member) => member.id);
    const damage = (store: MemoryLogStore): void => store.loseEntries(5);
    const sound = others[0] ?? 0;
    const damaged = [id, others[1] ?? 0];
    group.isCarried = () => false;
    for (const one of damaged) await group.restart(one, {}, damage);
    await group.restart(sound);
    group.isCarried = () => true;
    await group.advance(12_000);
    const warnings = [sound, ...damaged].map((one) =>
      group
        .member(one)
        .log.filter(({ message }) => message.startsWith("there is no leader"))
        .at(-1),
    );
    const names = damaged.map(String).toSorted();
    expect(warnings[0]).toMatchObject({
      message: "there is no leader: 1 of 3 voters known to be sound, 2 needed",
      fields: { sound: [String(sound)], underRepair: names, silent: [], notConnected: [], gaveNoVote: expect.arrayContaining(names) },
    });
    // Nobody under repair asks for votes, so one of them can't know of the other.
    expect(warnings[1]?.fields).toMatchObject({ sound: [String(sound)], underRepair: [String(id)], thisMember: "repairing" });
    expect(group.member(sound).node.leaderlessFinding).toBe(
      `1 of 3 voters known to be sound, 2 needed; under repair: ${names.join(", ")}. ` +
        "To do: a majority is damaged, and without a leader no repair ends: begin a new cluster from what a sound member holds",
    );
    expect(group.member(sound).failures).toEqual([]);
  });
});

describe("a member that is a group by itself", () => {
  test("does not start without the entries that it lost, and says what to do", async () => {
    const group = await groupOf([1]);
    await group.elect();
    void group.leader.node.propose(text("only here"));
    await group.advance(100);
    const start = group.restart(1, {}, (store) => store.loseEntries(3));
    await expect(start).rejects.toThrow(EntriesLostError);
    await expect(start).rejects.toThrow(/from log index 3 on.*a test says so\. To start again, put back a copy .* empty/);
  });

  test("does not start beside learners either, which can't lead, and names them: they may hold what is lost", async () => {
    const group = new MemoryGroup();
    await group.add(1, { ...votersOnly([1]), learners: [2] });
    await group.elect();
    await group.settle();
    const start = group.restart(1, {}, (store) => store.loseEntries(2));
    await expect(start).rejects.toThrow(/Learners may still hold them, read them there first: 2\./);
  });

  test("starts if a change of members is left in its log: others may have what is lost", async () => {
    const group = await groupOf([1]);
    await group.elect();
    await group.add(2, { ...founders, voters: [1] });
    void group
      .member(1)
      .node.changeMembership({ transition: "auto", operations: [{ type: "addVoter", id: 2 }], context: new Uint8Array(0) });
    await group.advance(300);
    const entries: readonly LogEntry[] = group.member(1).store.recovered.entries;
    const change = entries.find(({ kind }) => kind === "configuration")?.index ?? 0;
    void group.leader.node.propose(text("lost"));
    await group.advance(300);
    const repairing = await group.restart(1, {}, (store) => store.loseEntries(change + 1));
    expect(repairing.node.memberState).toBe("repairing");
  });
});

test("a member whose store can't be trusted at all starts from the founders, watches and shows nothing", async () => {
  const { group, victim } = await filledGroup();
  const quarantined = await group.restart(victim.id, { founders }, (store) => store.loseMeta());
  const before = group.sent.length;
  await group.advance(500);
  const seen = [watched(quarantined.node.propose(text("x"))), watched(quarantined.node.readBarrier())];
  const local = watched(new Promise((succeed, fail) => quarantined.node.readLocally({ succeed, fail })));
  await group.settle();
  expect([...seen, local].map(({ error }) => error)).toMatchObject(Array(3).fill({ code: "ERR_QUARANTINED" }));
  expect([quarantined.node.memberState, quarantined.node.leader]).toEqual(["quarantined", group.leader.id]);
  expect(group.sent.slice(before).filter(({ from }) => from === victim.id)).toEqual([]);
  expect(quarantined.log.filter(({ level }) => level === "error")).toMatchObject([{ fields: { evidence: { kind: "storage" } } }]);
});
