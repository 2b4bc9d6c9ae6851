import type { ProposeOutcome } from "@raftkv/raft-core";
import { describe, expect, test } from "vitest";
import { commandsOf } from "./command-batch.ts";
import { type Completion, NodeError } from "./node-error.ts";
import { Proposals } from "./proposals.ts";

const random = { below: (limit: number) => limit - 1, bytes: (count: number) => new Uint8Array(count).fill(7) };
const limits = {
  random,
  bytesMax: 10 * 1024 * 1024,
  timeoutMs: 1000,
  onCompletionError: (error: unknown): void => {
    throw error;
  },
};
const command = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Outcome extends Completion<string> {
  readonly results: string[];
  readonly errors: NodeError[];
}

function outcome(): Outcome {
  const results: string[] = [];
  const errors: NodeError[] = [];
  return { results, errors, succeed: (value) => results.push(value), fail: (error) => errors.push(error) };
}

function acceptFrom(firstIndex: number, taken: Uint8Array[] = []): (entries: readonly Uint8Array[]) => ProposeOutcome {
  let next = firstIndex;
  return (entries) => {
    taken.push(...entries);
    const first = next;
    next += entries.length;
    return { outcome: "accepted", term: 2, firstIndex: first, lastIndex: next - 1 };
  };
}

/** The entry was applied here, each of its commands with the same result. */
function applyEntry(proposals: Proposals<string>, entry: Uint8Array, result = "done"): void {
  const first = proposals.ownSequence(entry);
  const count = [...commandsOf(entry)].length;
  for (let place = 0; place < count && first >= 0; place++) proposals.applied(first + place, result);
}

function commandsIn(entries: readonly Uint8Array[]): readonly (readonly string[])[] {
  return entries.map((entry) => Array.from(commandsOf(entry), (each) => new TextDecoder().decode(each)));
}

describe("proposals", () => {
  test("of one turn share an entry, and succeed with the result of their own command", () => {
    const proposals = new Proposals<string>({ ...limits, countMax: 10 });
    const [first, second, third] = [outcome(), outcome(), outcome()];
    const taken: Uint8Array[] = [];
    proposals.add(command("a"), 0, first);
    proposals.add(command("b"), 0, second);
    proposals.offer(acceptFrom(5, taken));
    proposals.add(command("c"), 0, third);
    proposals.offer(acceptFrom(6, taken));
    expect(commandsIn(taken)).toEqual([["a", "b"], ["c"]]);
    const [entry = new Uint8Array(0)] = taken;
    proposals.applied(proposals.ownSequence(entry) + 1, "result of b");
    expect([first.results, second.results, third.results]).toEqual([[], ["result of b"], []]);
    expect(proposals.count).toBe(2);
  });

  test("ignore entries of other members and of an earlier life", () => {
    const proposals = new Proposals<string>({ ...limits, countMax: 10 });
    const own = outcome();
    proposals.add(command("a"), 0, own);
    applyEntry(proposals, new Uint8Array(20));
    applyEntry(proposals, new Uint8Array(3));
    expect([own.results, own.errors]).toEqual([[], []]);
  });

  test("wait for a leader and say so when none was found in time", () => {
    const proposals = new Proposals<string>({ ...limits, countMax: 10 });
    const waiting = outcome();
    proposals.add(command("a"), 0, waiting);
    proposals.offer(() => ({ outcome: "dropped", reason: "no_leader" }));
    proposals.expire(999);
    expect(waiting.errors).toEqual([]);
    proposals.expire(1000);
    expect(waiting.errors.map((error) => [error.code, error.retryable])).toEqual([["ERR_NO_LEADER", "safe"]]);
    const offered: Uint8Array[] = [];
    proposals.offer(acceptFrom(1, offered));
    expect(offered).toEqual([]);
  });

  test("may have been applied when they time out after they were proposed", () => {
    const proposals = new Proposals<string>({ ...limits, countMax: 10 });
    const [proposed, queued] = [outcome(), outcome()];
    proposals.add(command("a"), 0, proposed);
    proposals.offer(acceptFrom(1));
    proposals.add(command("b"), 1, queued);
    proposals.expire(1001);
    expect(proposed.errors.map((error) => [error.code, error.retryable])).toEqual([["ERR_TIMED_OUT", "maybe-applied"]]);
    expect(queued.errors.map((error) => error.code)).toEqual(["ERR_NO_LEADER"]);
  });

  test("that have waited for too long leave the batch that they wait in", () => {
    const proposals = new Proposals<string>({ ...limits, countMax: 10 });
    const outcomes = Array.from({ length: 5 }, outcome);
    const taken: Uint8Array[] = [];
    for (const [at, each] of outcomes.entries()) {
      if (at === 2) proposals.offer(() => ({ outcome: "dropped", reason: "no_leader" }));
      proposals.add(command(`${at}`), at, each);
    }
    proposals.expire(1_003 - 1);
    proposals.offer(acceptFrom(1, taken));
    expect(commandsIn(taken)).toEqual([["3", "4"]]);
    for (const entry of taken) applyEntry(proposals, entry);
    expect(outcomes.map(({ results, errors }) => results.length - errors.length)).toEqual([-1, -1, -1, 1, 1]);
  });

  test("fail as certainly not applied when another entry took their place", () => {
    const proposals = new Proposals<string>({ ...limits, countMax: 10 });
    const [kept, overwritten] = [outcome(), outcome()];
    const taken: Uint8Array[] = [];
    proposals.add(command("a"), 0, kept);
    proposals.offer(acceptFrom(7, taken));
    proposals.add(command("b"), 0, overwritten);
    proposals.offer(acceptFrom(8));
    proposals.leadershipLost();
    applyEntry(proposals, taken[0] ?? new Uint8Array(), "ok");
    proposals.settleOrphans(7);
    expect(overwritten.errors).toEqual([]);
    proposals.settleOrphans(8);
    expect(kept.results).toEqual(["ok"]);
    expect(overwritten.errors.map((error) => [error.code, error.retryable])).toEqual([["ERR_LEADERSHIP_LOST", "safe"]]);
  });

  test("have an unknown outcome when a snapshot covers their place", () => {
    const proposals = new Proposals<string>({ ...limits, countMax: 10 });
    const covered = outcome();
    proposals.add(command("a"), 0, covered);
    proposals.offer(acceptFrom(7));
    proposals.leadershipLost();
    proposals.settleOrphansBySnapshot(20);
    expect(covered.errors.map((error) => error.retryable)).toEqual(["maybe-applied"]);
  });

  test("are refused beyond the limit, and by the quota of the core", () => {
    const proposals = new Proposals<string>({ ...limits, countMax: 1 });
    const [first, second] = [outcome(), outcome()];
    proposals.add(command("a"), 0, first);
    proposals.add(command("b"), 0, second);
    expect(second.errors.map((error) => error.code)).toEqual(["ERR_OVERLOADED"]);
    proposals.offer(() => ({ outcome: "dropped", reason: "quota" }));
    expect(first.errors.map((error) => [error.code, error.retryable])).toEqual([["ERR_OVERLOADED", "safe"]]);
  });

  test("are refused beyond the limit of bytes, but a single one is not", () => {
    const proposals = new Proposals<string>({ ...limits, countMax: 10, bytesMax: 10 });
    const [large, small] = [outcome(), outcome()];
    const taken: Uint8Array[] = [];
    proposals.add(new Uint8Array(20), 0, large);
    proposals.add(new Uint8Array(1), 0, small);
    expect([large.errors.length, small.errors.map((error) => error.code)]).toEqual([0, ["ERR_OVERLOADED"]]);
    proposals.offer(acceptFrom(1, taken));
    applyEntry(proposals, taken[0] ?? new Uint8Array());
    proposals.add(new Uint8Array(1), 0, small);
    expect(small.errors).toHaveLength(1);
  });

  test("are all answered, also if one of the callers throws", () => {
    const seen: unknown[] = [];
    const proposals = new Proposals<string>({ ...limits, countMax: 10, onCompletionError: (error) => seen.push(error) });
    const reason = new Error("The caller is broken");
    const calm = outcome();
    const taken: Uint8Array[] = [];
    proposals.add(command("a"), 0, {
      succeed: () => {
        throw reason;
      },
      fail: () => {},
    });
    proposals.add(command("b"), 0, calm);
    proposals.offer(acceptFrom(1, taken));
    for (const entry of taken) applyEntry(proposals, entry);
    expect(seen).toEqual([reason]);
    expect(calm.results).toEqual(["done"]);
  });

  test("all fail, also if one of the callers throws", () => {
    const seen: unknown[] = [];
    const proposals = new Proposals<string>({ ...limits, countMax: 10, onCompletionError: (error) => seen.push(error) });
    const reason = new Error("The caller is broken");
    const [overdue, stopped] = [outcome(), outcome()];
    const addBoth = (nowMs: number, calm: Outcome): void => {
      proposals.add(command("a"), nowMs, {
        succeed: () => {},
        fail: () => {
          throw reason;
        },
      });
      proposals.add(command("b"), nowMs, calm);
    };
    addBoth(0, overdue);
    addBoth(1, stopped);
    proposals.expire(1000);
    proposals.failAll(new NodeError("ERR_STOPPED", "maybe-applied", "This member is stopping"));
    expect(seen).toEqual([reason, reason]);
    expect([overdue, stopped].map(({ errors }) => errors.map(({ code }) => code))).toEqual([["ERR_NO_LEADER"], ["ERR_STOPPED"]]);
  });

  test("are offered in pieces that fit a message, in order", () => {
    const proposals = new Proposals<string>({ ...limits, countMax: 100 });
    for (let at = 0; at < 5; at++) proposals.add(new Uint8Array(400 * 1024).fill(at), 0, outcome());
    const sizes: number[] = [];
    const order: number[] = [];
    proposals.offer((entries) => {
      sizes.push(entries.length);
      for (const each of entries.flatMap((entry) => [...commandsOf(entry)])) order.push(each[0] ?? -1);
      return { outcome: "forwarded", to: 2 };
    });
    expect(sizes).toEqual([2, 2, 1]);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  test("all come through, however many and large they are", () => {
    const proposals = new Proposals<string>({ ...limits, bytesMax: 100 * 1024 * 1024, countMax: 10_000 });
    const sizes = Array.from({ length: 2_000 }, (_, at) => (at % 97 === 0 ? 20_000 + at : (at * 7) % 300));
    const outcomes = sizes.map((size, at) => {
      const each = outcome();
      proposals.add(new Uint8Array(size).fill(at), 0, each);
      return each;
    });
    const taken: Uint8Array[] = [];
    proposals.offer(acceptFrom(1, taken));
    const found: number[] = [];
    for (const entry of taken) {
      for (const each of commandsOf(entry)) {
        expect(each.every((byte) => byte === found.length % 256)).toBe(true);
        found.push(each.length);
      }
      applyEntry(proposals, entry);
    }
    expect(found).toEqual(sizes);
    expect(outcomes.every(({ results }) => results.length === 1)).toBe(true);
  });
});
