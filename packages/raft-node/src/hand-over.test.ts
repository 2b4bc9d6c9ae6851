import { afterEach, describe, expect, test } from "vitest";
import { closeGroups, commands, commandsEverywhere, electedGroup, groupOf, text } from "./testing/group-fixture.ts";
import { watched } from "./testing/watched.ts";

afterEach(closeGroups);

const three = <Value>(value: Value): readonly Value[] => [value, value, value];

describe("a transfer of leadership", () => {
  test("ends with the target as leader", async () => {
    const group = await electedGroup();
    const { node } = group.leader;
    const target = group.followers[1]?.id ?? 0;
    const seen = watched(node.transferLeadership(target));
    await group.settle();
    expect(seen.value).toEqual({ outcome: "done", leader: target });
    expect(group.leader.id).toBe(target);
  });

  test("may be asked for at any member", async () => {
    const group = await electedGroup();
    const [asked, target] = group.followers;
    const seen = watched(asked?.node.transferLeadership(target?.id) ?? Promise.reject(new Error("There are two followers")));
    await group.settle();
    expect(seen.value).toEqual({ outcome: "done", leader: target?.id });
  });

  test("may be asked for at the member that is to lead", async () => {
    const group = await electedGroup();
    const [target] = group.followers;
    const seen = watched(target?.node.transferLeadership(target.id) ?? Promise.reject(new Error("There are followers")));
    await group.settle();
    expect(seen.value).toEqual({ outcome: "done", leader: target?.id });
  });

  test("finds a target by itself, and only at the leader", async () => {
    const group = await electedGroup();
    const { id, node } = group.leader;
    const atFollower = watched(group.followers[0]?.node.transferLeadership() ?? Promise.resolve(null));
    await group.settle();
    expect(atFollower.value).toEqual({ outcome: "refused", reason: "no_target" });
    const atLeader = watched(node.transferLeadership());
    await group.settle();
    expect(atLeader.value).toMatchObject({ outcome: "done" });
    expect(group.leader.id).not.toBe(id);
  });

  test("is refused for members that are none, and for the leader itself", async () => {
    const group = await electedGroup();
    const { id, node } = group.leader;
    const seen = [9, id].map((target) => watched(node.transferLeadership(target)));
    const atFollower = watched(group.followers[0]?.node.transferLeadership(id) ?? Promise.resolve(null));
    await group.settle();
    expect([...seen, atFollower].map(({ value }) => value)).toEqual([
      { outcome: "refused", reason: "not_a_voter" },
      { outcome: "refused", reason: "to_self" },
      { outcome: "refused", reason: "to_self" },
    ]);
  });

  test("to a member that does not answer fails after an election time-out, and the leader goes on", async () => {
    const group = await electedGroup();
    const { id, node } = group.leader;
    const target = group.followers[0]?.id ?? 0;
    group.isCarried = ({ from, to }) => from !== target && to !== target;
    const transfer = watched(node.transferLeadership(target));
    const proposal = watched(node.propose(text("meanwhile")));
    await group.advance(900);
    expect([transfer.value, proposal.value]).toEqual([null, null]);
    await group.advance(300);
    expect([transfer.value, proposal.value]).toEqual([{ outcome: "failed", reason: "timeout" }, "meanwhile"]);
    expect(group.leader.id).toBe(id);
  });

  test("to a member that dies ends at once, and the leader goes on", async () => {
    const group = await electedGroup();
    const { id, node } = group.leader;
    const target = group.followers[0]?.id ?? 0;
    group.isCarried = ({ type }) => type !== "timeoutNow";
    const transfer = watched(node.transferLeadership(target));
    const proposal = watched(node.propose(text("meanwhile")));
    await group.settle();
    group.kill(target);
    await group.settle();
    expect([transfer.value, proposal.value]).toEqual([{ outcome: "failed", reason: "target_gone" }, "meanwhile"]);
    expect(group.leader.id).toBe(id);
  });

  test("loses no proposal that comes meanwhile, wherever it comes", async () => {
    const group = await electedGroup();
    const { id, node } = group.leader;
    const [other, target] = group.followers;
    // Votes for the target are held up, so that the transfer lasts.
    group.isCarried = ({ type }) => type !== "timeoutNow";
    void node.transferLeadership(target?.id);
    await group.settle();
    const seen = [1, 2, 3].map((member) => watched(group.member(member).node.propose(text(`by ${member}`))));
    await group.advance(50);
    expect(seen.map(({ value }) => value)).toEqual([null, null, null]);
    group.isCarried = () => true;
    void node.transferLeadership(other?.id);
    await group.advance(50);
    expect(group.leader.id).toBe(other?.id);
    expect(seen.map(({ value, error }) => value ?? error)).toEqual(["by 1", "by 2", "by 3"]);
    expect(commandsEverywhere(group)).toEqual(three(["by 1", "by 2", "by 3"]));
    expect(id).not.toBe(group.leader.id);
  });
});

describe("a leader that closes", () => {
  test("hands over first, and what comes to it meanwhile is applied", async () => {
    const group = await electedGroup();
    const { id, node } = group.leader;
    const others = group.followers.map((member) => member.id);
    const own = watched(node.propose(text("own")));
    const closing = watched(node.close());
    const seen = others.map((other) => watched(group.member(other).node.propose(text(`by ${other}`))));
    await group.settle();
    expect(group.leader.id).not.toBe(id);
    expect(own.value).toBe("own");
    expect(seen.map(({ value }) => value)).toEqual(
      group.members.size === 3
        ? [2, 3, 1]
            .filter((other) => other !== id)
            .sort((a, b) => a - b)
            .map((other) => `by ${other}`)
        : [],
    );
    await group.advance(100);
    expect(closing).toEqual({ value: undefined, error: null });
  });

  test("may be told to by the answer to a proposal", async () => {
    const group = await electedGroup();
    const { id, node } = group.leader;
    const closings: ReturnType<typeof watched<void>>[] = [];
    const close = (): void => void closings.push(watched(node.close()));
    node.submit(text("the last"), { succeed: close, fail: close });
    await group.settle();
    expect(group.leader.id).not.toBe(id);
    await group.advance(100);
    expect(closings).toEqual([{ value: undefined, error: null }]);
    expect(group.member(id).failures).toEqual([]);
  });

  test("closes also if it fails while it hands over", async () => {
    const group = await electedGroup();
    const { id, node, store } = group.leader;
    store.append = () => {
      throw new Error("The disk is broken");
    };
    const closing = watched(node.close());
    await group.advance(100);
    expect(closing).toEqual({ value: undefined, error: null });
    expect(group.member(id).failures).toMatchObject([{ message: "The disk is broken" }]);
  });

  test("does not wait for those who are gone", async () => {
    const group = await electedGroup();
    const { node } = group.leader;
    for (const { id } of group.followers) group.kill(id);
    const closing = watched(node.close());
    await group.advance(1_200);
    expect(closing).toEqual({ value: undefined, error: null });
  });

  test("turns to another member when the first one dies before it has everything", async () => {
    const group = await electedGroup();
    const { node } = group.leader;
    group.isCarried = ({ type }) => type !== "appendEntriesResponse";
    const proposal = watched(node.propose(text("on its way")));
    await group.settle();
    const closing = watched(node.close());
    await group.settle();
    const first = node.status().transferTarget;
    group.isCarried = () => true;
    group.kill(first);
    await group.advance(400);
    expect(closing).toEqual({ value: undefined, error: null });
    expect(proposal.value).toBe("on its way");
    expect([first, node.status().id]).not.toContain(group.leader.id);
  });

  test("leaves it to the others to elect another one when its successor dies with its vote", async () => {
    const group = await groupOf([1, 2, 3, 4, 5]);
    await group.elect();
    await group.advance(200);
    const { id, node } = group.leader;
    const others = group.followers.map((member) => member.id);
    group.isCarried = ({ from, type }) => from !== id || (type !== "timeoutNow" && type !== "requestVoteResponse");
    const closing = watched(node.close());
    await group.settle();
    const [first] = group.sent.filter(({ type }) => type === "timeoutNow");
    group.kill(first?.to ?? 0);
    await group.settle();
    expect(closing).toEqual({ value: undefined, error: null });
    group.kill(id);
    await group.advance(100);
    expect(others.filter((other) => other !== first?.to)).toContain(group.leader.id);
  });

  test("passes on what followers send that have not heard of the new leader", async () => {
    const group = await electedGroup();
    const { id, node } = group.leader;
    const [late, target] = group.followers;
    // The third member learns of nothing but what it is told by the old leader.
    group.isCarried = ({ from, to }) => from !== target?.id || to !== late?.id;
    void node.transferLeadership(target?.id);
    await group.settle();
    expect([group.leader.id, late?.node.leader]).toEqual([target?.id, id]);
    const seen = watched(late?.node.propose(text("late")) ?? Promise.resolve(null));
    await group.settle();
    expect(target === undefined ? [] : commands(target)).toEqual(["late"]);
    group.isCarried = () => true;
    await group.advance(300);
    expect(seen.value).toBe("late");
    expect(commandsEverywhere(group)).toEqual(three(["late"]));
  });
});
