import { describe, expect, test } from "vitest";
import { soloLeader } from "./testing/solo-leader.ts";
import { append, becomeLeader, drain, exchange, heartbeat, soloMember } from "./testing/solo-member.ts";
import { payload } from "./testing/test-cluster.ts";

describe("a Ready", () => {
  test("hands nothing out twice", () => {
    const member = soloMember({ size: 3, term: 1 });
    member.core.step(append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1, 1], commit: 2 }));
    expect(member.core.ready()).toBeDefined();
    expect(member.core.ready()).toBeUndefined();
  });

  test("names the hard state only when it changed, and asks for a sync only for more than the commit index", () => {
    const member = soloMember({ size: 3, term: 1 });
    exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1, 1] }));
    member.core.step(heartbeat(2, { term: 1 }));
    expect(member.collect()?.append).toBeNull();
    member.core.step(heartbeat(2, { term: 1, commit: 1 }));
    expect(member.collect()?.append).toMatchObject({ hardState: { term: 1, vote: 0, commit: 1 }, mustSync: false, entries: [] });
    member.core.step(heartbeat(2, { term: 3, commit: 1 }));
    expect(member.collect()?.append).toMatchObject({ hardState: { term: 3, vote: 0, commit: 1 }, mustSync: true });
  });

  test("tells when role or leader changed, and only then", () => {
    const member = soloMember({ size: 3, term: 1 });
    member.core.step(heartbeat(2, { term: 1 }));
    expect(member.collect()?.softState).toEqual({ role: "follower", leader: 2 });
    member.core.step(heartbeat(2, { term: 1 }));
    expect(member.collect()?.softState).toBeNull();
  });

  test("gates answers behind everything handed out before, also when they bring nothing to write", () => {
    const member = soloMember({ size: 3, term: 1 });
    const message = append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1] });
    member.core.step(message);
    member.collect();
    member.core.step(message);
    const second = member.collect();
    expect(second?.messages).toEqual([]);
    expect(second?.append).toMatchObject({ entries: [], hardState: null, mustSync: false, messages: [{ index: 1 }] });
  });

  test("gates refusals as well: they speak of a term and of a log that must not be forgotten", () => {
    const member = soloMember({ size: 3, terms: [1] });
    member.core.step(append(2, { term: 2, prevIndex: 5, prevTerm: 1 }));
    member.core.step(append(3, { term: 1, prevIndex: 0, prevTerm: 0 }));
    const ready = member.collect();
    expect(ready?.messages).toEqual([]);
    expect(ready?.append?.messages).toMatchObject([
      { to: 2, term: 2, rejected: true },
      { to: 3, term: 2, rejected: false, index: 0 },
    ]);
  });

  test("lets a leader's appends leave before its disk, and lets others commit without it", () => {
    const member = soloMember({ size: 3, term: 1 });
    becomeLeader(member);
    member.core.propose([payload("x")]);
    member.collect();
    const both = [2, 3].map(
      (from) => ({ type: "appendEntriesResponse", from, to: 1, term: 2, index: 2, rejected: false, hintIndex: 0, hintTerm: 0 }) as const,
    );
    for (const answer of both) member.core.step(answer);
    expect(member.core.commit).toBe(2);
    expect(member.collect()?.apply?.entries.map((entry) => entry.index)).toEqual([1]);
    drain(member);
    expect(member.stateIndex).toBe(2);
  });
});

describe("what is committed", () => {
  test("is handed out in slices after a restart as well, from where the state machine stands", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1, 1, 1], commit: 4, options: { applyBytesMax: 25 } });
    expect(member.collect()?.apply?.entries.map((entry) => entry.index)).toEqual([1, 2]);
    expect(member.collect()).toBeUndefined();
    drain(member);
    expect(member.applied.map((entry) => entry.index)).toEqual([1, 2, 3, 4]);
  });

  test("waits for this member's disk, whatever others hold", () => {
    const member = soloMember({ size: 3, terms: [1], commit: 1 });
    drain(member);
    member.core.step(append(2, { term: 1, prevIndex: 1, prevTerm: 1, terms: [1], commit: 2 }));
    expect(member.collect()?.apply).toBeNull();
    member.write();
    expect(member.collect()?.apply?.entries.map((entry) => entry.index)).toEqual([2]);
  });

  test("does not wait for it where the reference is followed", () => {
    const member = soloMember({ size: 3, term: 1, options: { reference: { applyBeforeDurable: true } } });
    member.core.step(append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1], commit: 1 }));
    expect(member.collect()?.apply?.entries.map((entry) => entry.index)).toEqual([1]);
  });
});

describe("acknowledgements", () => {
  test("come in the order of hand-out, or not at all", () => {
    const member = soloLeader({ size: 1 });
    member.core.propose([payload("a")]);
    const first = member.core.ready()?.append;
    member.core.propose([payload("b")]);
    const second = member.core.ready()?.append;
    if (!first || !second) throw new Error("Both proposals are handed out");
    expect(() => member.core.appended(second)).toThrow("Append jobs are finished in the order they were handed out");
    member.core.appended(first);
    expect(member.core.commit).toBe(2);
    expect(() => member.core.appended(first)).toThrow("Append jobs are finished in the order they were handed out");
  });

  test("of a later job speak for the tail that an ignored one left behind", () => {
    const member = soloMember({ size: 3, term: 1 });
    member.core.step(append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1, 1], commit: 2 }));
    member.collect();
    member.core.step(heartbeat(3, { term: 2 }));
    member.collect();
    member.write();
    expect(member.collect()).toBeUndefined();
    member.write();
    expect(member.collect()?.apply?.entries).toHaveLength(2);
  });

  test("of applied entries make room for the next, one at least being always under way", () => {
    for (const [applyBytesMax, expected] of [
      [1, [1, 1, 1, 1, 1]],
      [25, [2, 2, 1]],
      [1000, [5]],
    ] as const) {
      const member = soloMember({ size: 3, term: 1, options: { applyBytesMax } });
      exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1, 1, 1, 1, 1] }));
      member.core.step(heartbeat(2, { term: 1, commit: 5 }));
      const sizes: number[] = [];
      for (let ready = member.collect(); ready !== undefined; ready = member.collect()) {
        if (ready.apply !== null) sizes.push(ready.apply.entries.length);
        while (member.appends.length > 0) member.write();
        expect([member.applies.length, member.collect()]).toEqual([1, undefined]);
        member.apply();
      }
      expect(sizes).toEqual(expected);
    }
  });

  test("of applied entries make room also where the budget was just used up", () => {
    const member = soloMember({ size: 3, term: 1, options: { applyBytesMax: 10 } });
    exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1, 1] }));
    member.core.step(heartbeat(2, { term: 1, commit: 1 }));
    expect(member.collect()?.apply?.entries).toHaveLength(1);
    member.core.step(heartbeat(2, { term: 1, commit: 2 }));
    expect(member.collect()?.apply).toBeNull();
    member.apply();
    expect(member.collect()?.apply?.entries).toHaveLength(1);
  });

  test("of applied entries come in the order of hand-out, and of something", () => {
    const member = soloLeader({ size: 1, options: { applyBytesMax: 100 } });
    member.core.propose([payload("a")]);
    const append = member.core.ready()?.append;
    if (!append) throw new Error("The proposal is handed out");
    member.core.appended(append);
    const apply = member.core.ready()?.apply;
    if (!apply) throw new Error("The entry is handed out");
    expect(() => member.core.applied({ ...apply })).toThrow("Apply jobs are finished in the order they were handed out");
  });

  test("are missing where nothing waits for the disk", () => {
    const member = soloMember({ size: 3, terms: [1], options: { preVote: false } });
    member.core.step(heartbeat(2, { term: 1 }));
    member.core.step(append(2, { term: 1, prevIndex: 1, prevTerm: 1 }));
    expect(member.collect()?.append).toMatchObject({ acknowledges: null, mustSync: false, messages: [{ index: 1 }] });
    drain(member);
    member.core.campaign();
    expect(member.collect()?.append).toMatchObject({ acknowledges: null, mustSync: true, messages: [{ to: 1 }] });
  });
});
