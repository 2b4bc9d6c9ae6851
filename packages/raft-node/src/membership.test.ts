import type { NodeId } from "@raftkv/raft-core";
import { afterEach, describe, expect, test } from "vitest";
import { closeGroups, electedGroup, text } from "./testing/group-fixture.ts";
import { watched } from "./testing/watched.ts";

afterEach(closeGroups);

describe("a change of members", () => {
  const context = text("at 10.0.0.4");

  test("takes a learner in and makes it a voter, and everybody knows", async () => {
    const group = await electedGroup();
    const newcomer = await group.add(4, group.leader.node.status().configuration);
    const added = watched(group.leader.node.changeMembership({ transition: "auto", operations: [{ type: "addLearner", id: 4 }], context }));
    await group.advance(300);
    expect(added.value).toMatchObject({ outcome: "applied", configuration: { voters: [1, 2, 3], learners: [4] } });
    const promoted = watched(
      group.leader.node.changeMembership({ transition: "auto", operations: [{ type: "addVoter", id: 4 }], context: text("") }),
    );
    await group.advance(300);
    expect(promoted.value).toMatchObject({ outcome: "applied", configuration: { voters: [1, 2, 3, 4], learners: [] } });
    for (const member of group.members.values()) {
      expect(member.journal.lines).toEqual(["voters 1,2,3 learners 4 at 10.0.0.4", "voters 1,2,3,4 learners"]);
      expect(member.configurations.at(-1)?.voters).toEqual([1, 2, 3, 4]);
    }
    expect(newcomer.node.leader).toBe(group.leader.id);
  });

  test("is known to a member that it removes", async () => {
    const group = await electedGroup();
    const [removed] = group.followers;
    if (removed === undefined) throw new Error("There are followers");
    const change = { transition: "auto", operations: [{ type: "remove", id: removed.id }], context: text("") } as const;
    const seen = watched(group.leader.node.changeMembership(change));
    await group.settle();
    expect(seen.value).toMatchObject({ outcome: "applied" });
    expect(removed.node.status().configuration.voters).not.toContain(removed.id);
  });

  test("is known to those whom a leader leaves behind that removes itself and stops at once", async () => {
    const group = await electedGroup();
    const { id, node } = group.leader;
    const others = group.followers.map((member) => member.id);
    const change = { transition: "auto", operations: [{ type: "remove", id }], context: text("") } as const;
    const seen = watched(node.changeMembership(change));
    await group.settle();
    group.kill(id);
    expect(seen.value).toMatchObject({ outcome: "applied" });
    await group.advance(100);
    expect(others.map((other) => group.member(other).node.status().configuration.voters)).toEqual([others, others]);
    expect(others).toContain(group.leader.id);
  });

  test("may be proposed at a follower", async () => {
    const group = await electedGroup();
    const [follower] = group.followers;
    const change = { transition: "auto", operations: [{ type: "update", id: 1 }], context } as const;
    const seen = watched(follower?.node.changeMembership(change) ?? Promise.resolve(null));
    await group.advance(100);
    expect(seen.value).toMatchObject({ outcome: "applied" });
  });

  test("goes through a joint configuration and out of it by itself", async () => {
    const group = await electedGroup();
    const { id } = group.leader;
    const removed = group.followers.map((member) => member.id);
    const operations = removed.map((member) => ({ type: "remove", id: member }) as const);
    const seen = watched(group.leader.node.changeMembership({ transition: "implicit", operations, context: text("") }));
    await group.advance(300);
    expect(seen.value).toMatchObject({ outcome: "applied", configuration: { voters: [id], outgoing: [1, 2, 3] } });
    expect(group.member(id).node.status().configuration).toMatchObject({ voters: [id], outgoing: [] });
  });

  test("is refused with a reason while another one is under way, and when it leaves no voters", async () => {
    const group = await electedGroup();
    const remove = (ids: readonly NodeId[]) =>
      watched(
        group.leader.node.changeMembership({
          transition: "auto",
          operations: ids.map((id) => ({ type: "remove", id })),
          context: text(""),
        }),
      );
    const everybody = remove([1, 2, 3]);
    await group.settle();
    expect(everybody.value).toEqual({ outcome: "refused", reason: "conf_invalid" });
    const other = group.followers[0]?.id ?? 0;
    const [first, second] = [remove([other]), remove([other])];
    await group.advance(200);
    expect(first.value).toMatchObject({ outcome: "applied" });
    expect(second.value).toEqual({ outcome: "refused", reason: "conf_pending" });
  });

  test("is in the snapshot of its index, and reaches those who need the snapshot", async () => {
    const group = await electedGroup({ snapshotCount: 10, catchUpEntries: 0 });
    const [away] = group.followers;
    if (away === undefined) throw new Error("There are followers");
    group.stopped.add(away.id);
    const { node, store } = group.leader;
    const added = watched(node.changeMembership({ transition: "auto", operations: [{ type: "addLearner", id: 9 }], context }));
    await group.advance(50);
    expect(added.value).toMatchObject({ outcome: "applied" });
    for (let at = 0; at < 30; at++) {
      void node.propose(text(`${at}`));
      await group.settle();
    }
    expect(store.snapshot?.meta.configuration.learners).toEqual([9]);
    group.stopped.clear();
    await group.advance(1_000);
    expect(away.node.status().configuration.learners).toEqual([9]);
    expect(away.configurations.at(-1)?.learners).toEqual([9]);
    expect(away.journal.lines).toEqual(group.leader.journal.lines);
  });
});
