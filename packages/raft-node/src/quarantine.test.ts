import type { PeerMessage } from "@raftkv/raft-core";
import { afterEach, describe, expect, test } from "vitest";
import { closeGroups, electedGroup, text } from "./testing/group-fixture.ts";
import type { MemoryGroup, MemoryMember } from "./testing/memory-group.ts";
import type { MemoryLogStore } from "./testing/memory-log-store.ts";
import { watched } from "./testing/watched.ts";

afterEach(closeGroups);

describe("a member that finds that it lost what it acknowledged", () => {
  async function quarantinedMember(
    prepare: (store: MemoryLogStore) => void = () => undefined,
  ): Promise<{ readonly group: MemoryGroup; readonly member: MemoryMember }> {
    const group = await electedGroup();
    const [member] = group.followers;
    if (member === undefined) throw new Error("There are followers");
    const { id, node } = group.leader;
    const { term } = node;
    prepare(member.store);
    member.store.hold();
    void node.propose(text("under way"));
    await group.settle();
    const waiting = watched(member.node.propose(text("waiting")));
    await group.settle();
    const heartbeat: PeerMessage = { type: "heartbeat", from: id, to: member.id, term, commit: 1_000, readPosition: 0 };
    group.send(heartbeat);
    await group.settle();
    expect(waiting.error).toMatchObject({ code: "ERR_QUARANTINED", retryable: "maybe-applied" });
    return { group, member };
  }

  test("says so, with the evidence, and fails what it is asked", async () => {
    const { group, member } = await quarantinedMember();
    expect(member.node.status().quarantine).toMatchObject({ kind: "commit_beyond_log", commit: 1_000 });
    expect(member.log.filter(({ level }) => level === "error")).toHaveLength(1);
    const seen = [watched(member.node.propose(text("x"))), watched(member.node.readBarrier())];
    await group.settle();
    const refusal = { code: "ERR_QUARANTINED", retryable: "safe" };
    expect(seen.map(({ error }) => error)).toMatchObject([refusal, refusal]);
    expect(member.failures).toEqual([]);
  });

  test("acknowledges nothing any more, also not what was on its way to the disk", async () => {
    const { group, member } = await quarantinedMember();
    const before = group.sent.length;
    member.store.release();
    await group.advance(3_000);
    expect(group.sent.slice(before).filter(({ from }) => from === member.id)).toEqual([]);
    expect(member.node.leader).toBe(group.leader.id);
  });

  test("comes back as it was, and does not recover by being started again", async () => {
    const { group, member } = await quarantinedMember();
    const evidence = member.node.status().quarantine;
    member.store.release();
    const again = await group.restart(member.id);
    const before = group.sent.length;
    const seen = watched(again.node.propose(text("x")));
    void group.leader.node.propose(text("y"));
    await group.advance(3_000);
    expect(again.node.status()).toMatchObject({ quarantine: evidence, leader: group.leader.id });
    expect(seen.error).toMatchObject({ code: "ERR_QUARANTINED", retryable: "safe" });
    expect(group.sent.slice(before).filter(({ from }) => from === member.id)).toEqual([]);
    expect(again.log.filter(({ level }) => level === "error")).toMatchObject([{ fields: { evidence } }]);
  });

  test("says so if that can't be recorded", async () => {
    const reason = new Error("The disk is full");
    const { member } = await quarantinedMember((store) => {
      store.recordQuarantine = () => Promise.reject(reason);
    });
    const errors = member.log.filter(({ level }) => level === "error");
    expect(errors.map(({ fields }) => fields)).toContainEqual({ error: reason });
    expect(member.failures).toEqual([]);
  });
});
