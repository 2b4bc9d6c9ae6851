import type { NodeError } from "@raftkv/raft-node";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import type { LeaseAnswer } from "./lease-answer.ts";
import { LeaseRouter, type RemoteLeases } from "./lease-router.ts";

type Asked = readonly [where: "here" | number, id: bigint];

/** A member whose role the test sets, and what it was asked. */
class Scene implements RemoteLeases {
  readonly clock = new ManualClock();
  readonly node = { isLeader: false, leader: 0 };
  readonly asked: Asked[] = [];
  /** Answers questions; by default as a member that does not lead. */
  reply: (answer: LeaseAnswer<number>) => void = (answer) => answer.notPrimary();
  readonly router: LeaseRouter;

  constructor(countMax = 10) {
    const keeper = {
      keepAlive: (id: bigint, answer: LeaseAnswer<number>) => this.ask("here", id, answer),
      timeToLive: (id: bigint) => void this.asked.push(["here", id]),
    };
    this.router = new LeaseRouter({ node: this.node, keeper, remote: this, clock: this.clock, timeoutMs: 7_000, countMax });
  }

  keepAlive(leader: number, id: bigint, answer: LeaseAnswer<number>): void {
    this.ask(leader, id, answer);
  }

  timeToLive(leader: number, id: bigint): void {
    this.asked.push([leader, id]);
  }

  renew(id: bigint): { outcome: unknown } {
    const heard: { outcome: unknown } = { outcome: "waits" };
    this.router.keepAlive(id, {
      succeed: (ttl) => {
        heard.outcome = ttl;
      },
      fail: (error: NodeError) => {
        heard.outcome = error.code;
      },
    });
    return heard;
  }

  private ask(where: "here" | number, id: bigint, answer: LeaseAnswer<number>): void {
    this.asked.push([where, id]);
    this.reply(answer);
  }
}

describe("a question about a lease", () => {
  test("is asked here if this member leads, and at the leader if another one does", () => {
    const scene = new Scene();
    scene.reply = (answer) => answer.succeed(10);
    scene.node.isLeader = true;
    expect(scene.renew(5n).outcome).toBe(10);
    Object.assign(scene.node, { isLeader: false, leader: 3 });
    expect(scene.renew(6n).outcome).toBe(10);
    scene.router.timeToLive(7n, { succeed: () => {}, fail: () => {} });
    expect(scene.asked).toEqual([
      ["here", 5n],
      [3, 6n],
      [3, 7n],
    ]);
  });

  test("follows leadership from member to member until somebody answers", async () => {
    const scene = new Scene();
    const heard = scene.renew(5n);
    await scene.clock.run(1_000);
    scene.node.leader = 3;
    await scene.clock.run(100);
    expect(scene.asked.at(-1)).toEqual([3, 5n]);
    scene.reply = (answer) => answer.succeed(10);
    Object.assign(scene.node, { isLeader: true, leader: 1 });
    await scene.clock.run(100);
    expect(scene.asked.at(-1)).toEqual(["here", 5n]);
    expect(heard.outcome).toBe(10);
  });

  test.each([
    ["nobody leads", 0, "ERR_NO_LEADER"],
    ["the leader does not answer", 3, "ERR_TIMED_OUT"],
  ])("fails when its time is over and %s", async (_what, leader, code) => {
    const scene = new Scene();
    scene.node.leader = leader;
    const heard = scene.renew(5n);
    await scene.clock.run(6_900);
    expect(heard.outcome).toBe("waits");
    await scene.clock.run(100);
    expect(heard.outcome).toBe(code);
  });

  test("fails soon when the member stops", async () => {
    const scene = new Scene();
    const heard = scene.renew(5n);
    scene.router.close();
    await scene.clock.run(50);
    expect(heard.outcome).toBe("ERR_STOPPED");
  });

  test("is refused while too many wait, and taken again when they are answered", async () => {
    const scene = new Scene(2);
    const waiting = [scene.renew(1n), scene.renew(2n)];
    expect(scene.renew(3n).outcome).toBe("ERR_OVERLOADED");
    await scene.clock.run(7_000);
    expect(waiting.map(({ outcome }) => outcome)).toEqual(["ERR_NO_LEADER", "ERR_NO_LEADER"]);
    scene.node.isLeader = true;
    scene.reply = (answer) => answer.succeed(10);
    expect(scene.renew(4n).outcome).toBe(10);
  });
});
