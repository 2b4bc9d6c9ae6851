import { type ConfigurationChange, type ProposeOutcome, votersOnly } from "@raftkv/raft-core";
import { describe, expect, test } from "vitest";
import { soleCommand } from "./command-batch.ts";
import { type MembershipChangeResult, MembershipChanges } from "./membership-changes.ts";
import type { NodeError } from "./node-error.ts";

const random = { below: (limit: number) => limit - 1, bytes: (count: number) => new Uint8Array(count).fill(7) };
const context = new TextEncoder().encode("addresses");
const change: ConfigurationChange = { transition: "auto", operations: [{ type: "addLearner", id: 4 }], context };
const result = { outcome: "applied", index: 9, configuration: votersOnly([1, 2, 3]) } as const;

function fixture() {
  const changes = new MembershipChanges({ random, timeoutMs: 1_000 });
  const results: MembershipChangeResult[] = [];
  const errors: NodeError[] = [];
  const offered: ConfigurationChange[] = [];
  const add = (nowMs = 0): void =>
    changes.add(change, nowMs, { succeed: (value) => results.push(value), fail: (error) => errors.push(error) });
  const offer = (outcome: ProposeOutcome): void =>
    changes.offer((proposed) => {
      offered.push(proposed);
      return outcome;
    });
  return { changes, results, errors, offered, add, offer };
}

const accepted: ProposeOutcome = { outcome: "accepted", term: 2, firstIndex: 9, lastIndex: 9 };

describe("changes of members", () => {
  test("are known again when they are applied, and keep their context", () => {
    const { changes, results, offered, add, offer } = fixture();
    add();
    offer({ outcome: "forwarded", to: 2 });
    const [proposed] = offered;
    expect(soleCommand(proposed?.context ?? new Uint8Array())).toEqual(context);
    changes.applied(new Uint8Array(0), result);
    changes.applied(context, result);
    expect(results).toEqual([]);
    changes.applied(proposed?.context ?? new Uint8Array(), result);
    changes.applied(proposed?.context ?? new Uint8Array(), result);
    expect(results).toEqual([result]);
  });

  test("wait for a leader, and are offered again", () => {
    const { results, errors, offered, add, offer } = fixture();
    add();
    offer({ outcome: "dropped", reason: "no_leader" });
    offer({ outcome: "dropped", reason: "transfer_in_progress" });
    offer(accepted);
    offer(accepted);
    expect([offered.length, results, errors]).toEqual([3, [], []]);
  });

  test("are refused with the reason of the leader", () => {
    const { results, errors, add, offer } = fixture();
    add();
    offer({ outcome: "dropped", reason: "barrier" });
    expect([results, errors]).toEqual([[{ outcome: "refused", reason: "barrier" }], []]);
  });

  test("fail where the member can't propose anything", () => {
    const { results, errors, add, offer } = fixture();
    add();
    offer({ outcome: "dropped", reason: "quarantined" });
    expect([results, errors.map(({ code }) => code)]).toEqual([[], ["ERR_QUARANTINED"]]);
  });

  test("were certainly not made when another entry took their place", () => {
    const { changes, errors, add, offer } = fixture();
    add();
    offer(accepted);
    changes.settleOrphans(20);
    changes.leadershipLost();
    changes.settleOrphans(8);
    expect(errors).toEqual([]);
    changes.settleOrphans(9);
    expect(errors.map(({ code, retryable }) => [code, retryable])).toEqual([["ERR_LEADERSHIP_LOST", "safe"]]);
  });

  test("have an unknown outcome when a snapshot covers their place", () => {
    const { changes, errors, add, offer } = fixture();
    add();
    offer(accepted);
    changes.leadershipLost();
    changes.settleOrphansBySnapshot(9);
    expect(errors.map(({ retryable }) => retryable)).toEqual(["maybe-applied"]);
  });

  test("say when their time was over what may have become of them", () => {
    const { changes, errors, add, offer } = fixture();
    add();
    offer({ outcome: "forwarded", to: 2 });
    add(1);
    changes.expire(1_001);
    expect(errors.map(({ code, retryable }) => [code, retryable])).toEqual([
      ["ERR_TIMED_OUT", "maybe-applied"],
      ["ERR_NO_LEADER", "safe"],
    ]);
  });

  test("are refused beyond the limit, and fail together at the end", () => {
    const { changes, errors, add } = fixture();
    for (let count = 0; count < 65; count++) add();
    const [overloaded] = errors;
    expect([errors.length, overloaded?.code]).toEqual([1, "ERR_OVERLOADED"]);
    if (overloaded !== undefined) changes.failAll(overloaded);
    expect(errors).toHaveLength(65);
  });
});
