import { describe, expect, test } from "vitest";
import { NodeError } from "./node-error.ts";
import { Reads } from "./reads.ts";

interface Seen {
  readonly indexes: number[];
  readonly errors: NodeError[];
}

function reader(reads: Reads, nowMs = 0): Seen {
  const seen: Seen = { indexes: [], errors: [] };
  reads.add(nowMs, { succeed: (index) => seen.indexes.push(index), fail: (error) => seen.errors.push(error) });
  return seen;
}

const limits = {
  timeoutMs: 1000,
  onCompletionError: (error: unknown): void => {
    throw error;
  },
};

describe("linearizable reads", () => {
  test("of one turn share one read index", () => {
    const reads = new Reads({ ...limits, countMax: 10 });
    const seen = [reader(reads), reader(reads), reader(reads)];
    const asked: number[] = [];
    reads.ask((id) => asked.push(id));
    reads.ask((id) => asked.push(id));
    expect(asked).toHaveLength(1);
    reads.answered({ requestId: asked[0] ?? 0, index: 4 }, 4);
    expect(seen.map((one) => one.indexes)).toEqual([[4], [4], [4]]);
  });

  test("wait until the state machine stands at their index", () => {
    const reads = new Reads({ ...limits, countMax: 10 });
    const seen = reader(reads);
    reads.ask((requestId) => reads.answered({ requestId, index: 9 }, 7));
    reads.applied(8);
    expect(seen.indexes).toEqual([]);
    reads.applied(12);
    expect(seen.indexes).toEqual([12]);
  });

  test("are asked again when the leader was lost, until their time is over", () => {
    const reads = new Reads({ ...limits, countMax: 10 });
    const seen = reader(reads);
    const asked: number[] = [];
    const refuse = (requestId: number): void => {
      asked.push(requestId);
      reads.answered({ requestId, failed: "no_leader" }, 0);
    };
    reads.ask(refuse);
    reads.askAgain(refuse);
    reads.expire(999);
    reads.askAgain(refuse);
    expect(new Set(asked).size).toBe(3);
    reads.expire(1000);
    expect(seen.errors.map((error) => [error.code, error.retryable])).toEqual([["ERR_TIMED_OUT", "safe"]]);
  });

  test.each([
    ["this member can't trust its data", "quarantined", "ERR_QUARANTINED"],
    ["too many wait in the core", "overloaded", "ERR_OVERLOADED"],
  ] as const)("fail at once when %s", (_what, failed, code) => {
    const reads = new Reads({ ...limits, countMax: 10 });
    const seen = reader(reads);
    reads.ask((requestId) => reads.answered({ requestId, failed }, 0));
    expect(seen.errors.map((error) => [error.code, error.retryable])).toEqual([[code, "safe"]]);
  });

  test("time out while the core or the state machine keeps them", () => {
    const reads = new Reads({ ...limits, countMax: 10 });
    const unanswered = reader(reads);
    reads.ask(() => {});
    const unapplied = reader(reads);
    reads.ask((requestId) => reads.answered({ requestId, index: 9 }, 1));
    reads.expire(1000);
    expect([unanswered.errors.length, unapplied.errors.length]).toEqual([1, 1]);
    reads.applied(9);
    expect(unapplied.indexes).toEqual([]);
  });

  test("are all told how they ended, also if one of the callers throws", () => {
    const thrown: unknown[] = [];
    const reason = new Error("The caller is broken");
    const broken = (): never => {
      throw reason;
    };
    const reads = new Reads({ ...limits, countMax: 10, onCompletionError: (error) => thrown.push(error) });
    const calm: Seen[] = [];
    const addBoth = (): void => {
      reads.add(0, { succeed: broken, fail: broken });
      calm.push(reader(reads));
    };
    addBoth();
    reads.ask((requestId) => reads.answered({ requestId, index: 4 }, 4));
    addBoth();
    reads.ask((requestId) => reads.answered({ requestId, failed: "quarantined" }, 4));
    addBoth();
    reads.failAll(new NodeError("ERR_STOPPED", "maybe-applied", "This member is stopping"));
    expect(thrown).toEqual([reason, reason, reason]);
    expect(calm.map(({ indexes, errors }) => indexes[0] ?? errors[0]?.code)).toEqual([4, "ERR_QUARANTINED", "ERR_STOPPED"]);
  });

  test("are refused beyond the limit and fail together at the end", () => {
    const reads = new Reads({ ...limits, countMax: 1 });
    const first = reader(reads);
    const second = reader(reads);
    expect(second.errors.map((error) => error.code)).toEqual(["ERR_OVERLOADED"]);
    const [reason] = second.errors;
    if (reason === undefined) throw new Error("The second reader was not refused");
    reads.failAll(reason);
    expect(first.errors).toHaveLength(1);
  });
});
