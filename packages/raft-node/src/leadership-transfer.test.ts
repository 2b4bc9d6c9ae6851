import type { TransferResult } from "@raftkv/raft-core";
import { describe, expect, test } from "vitest";
import { LeadershipTransfer } from "./leadership-transfer.ts";
import { watched } from "./testing/watched.ts";

const TARGET = 2;
const started = { outcome: "started" } as const;

function ended(result: TransferResult) {
  return { type: "transferEnded", target: TARGET, result, term: 3 } as const;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

describe("a transfer that somebody waits for", () => {
  test("is done when the target is known to lead, not when the old leader has given up", async () => {
    const transfer = new LeadershipTransfer(1_000);
    const seen = watched(transfer.follow(started, TARGET, 0));
    transfer.observe({ type: "transferStarted", target: TARGET, term: 3 });
    expect(transfer.isUnderWay).toBe(true);
    transfer.observe(ended("done"));
    transfer.roleChanged({ role: "follower", leader: 0 });
    await settle();
    expect([transfer.isUnderWay, seen.value]).toEqual([false, null]);
    transfer.roleChanged({ role: "follower", leader: TARGET });
    await settle();
    expect(seen.value).toEqual({ outcome: "done", leader: TARGET });
  });

  test("is done when the target is this member, and it leads", async () => {
    const transfer = new LeadershipTransfer(1_000);
    const seen = watched(transfer.follow({ outcome: "forwarded", to: 1 }, TARGET, 0));
    transfer.roleChanged({ role: "candidate", leader: 0 });
    transfer.roleChanged({ role: "leader", leader: TARGET });
    await settle();
    expect(seen.value).toEqual({ outcome: "done", leader: TARGET });
  });

  test("has failed when somebody else leads", async () => {
    const transfer = new LeadershipTransfer(1_000);
    const seen = watched(transfer.follow({ outcome: "forwarded", to: 1 }, TARGET, 0));
    transfer.roleChanged({ role: "follower", leader: 3 });
    await settle();
    expect(seen.value).toEqual({ outcome: "failed", reason: "leadership_lost" });
  });

  test.each<[Exclude<TransferResult, "done">]>([["timeout"], ["superseded"], ["target_gone"], ["leadership_lost"]])(
    "has failed when the leader says %s",
    async (result) => {
      const transfer = new LeadershipTransfer(1_000);
      const seen = watched(transfer.follow(started, TARGET, 0));
      transfer.observe(ended(result));
      await settle();
      expect(seen.value).toEqual({ outcome: "failed", reason: result });
    },
  );

  test("has failed when its time is over", async () => {
    const transfer = new LeadershipTransfer(1_000);
    const seen = watched(transfer.follow(started, TARGET, 500));
    transfer.expire(1_499);
    await settle();
    expect(seen.value).toBeNull();
    transfer.expire(1_500);
    await settle();
    expect(seen.value).toEqual({ outcome: "failed", reason: "timeout" });
  });

  test("is answered at once if it was refused, and when the member stops", async () => {
    const transfer = new LeadershipTransfer(1_000);
    const refused = watched(transfer.follow({ outcome: "refused", reason: "not_a_voter" }, TARGET, 0));
    const waiting = watched(transfer.follow(started, TARGET, 0));
    transfer.giveUp();
    await settle();
    expect(refused.value).toEqual({ outcome: "refused", reason: "not_a_voter" });
    expect(waiting.value).toEqual({ outcome: "failed", reason: "leadership_lost" });
  });
});
