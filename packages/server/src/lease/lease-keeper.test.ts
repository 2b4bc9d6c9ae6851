import { decodeCommand, etcdserverpb } from "@raftkv/api";
import { describe, expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { Heard } from "./testing/heard.ts";
import { MemoryLeader } from "./testing/memory-leader.ts";

const electionMs = 1_000;
/** Between two looks at what is due, and a little more. */
const scanMs = 501;
const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);

/** A member with a keeper, on a clock that the test moves. */
class Scene {
  readonly clock = new ManualClock();
  readonly leader = new MemoryLeader(this.clock);
  readonly keeper: LeaseKeeper;

  constructor() {
    const { state } = this.leader;
    this.keeper = new LeaseKeeper({ node: this.leader, store: state.store, clock: this.clock, electionMs });
    state.observe({ leaseChanged: (id) => this.keeper.changed(id) });
    onTestFinished(() => this.keeper.stop());
  }

  static async leading(): Promise<Scene> {
    const scene = new Scene();
    scene.leader.lead();
    await scene.run(scanMs);
    return scene;
  }

  run(durationMs = 0): Promise<void> {
    return this.clock.run(durationMs);
  }

  has(id: bigint): boolean {
    return this.leader.state.store.leases.has(id);
  }

  keepAlive(id: bigint): Heard<number> {
    const heard = new Heard<number>();
    this.keeper.keepAlive(id, heard);
    return heard;
  }

  async ttlOf(id: bigint): Promise<unknown> {
    const heard = new Heard<{ readonly ttl: number }>();
    this.keeper.timeToLive(id, heard);
    await this.run();
    return typeof heard.said === "object" ? heard.said.ttl : heard.said;
  }

  /** Another member led for a while, and now this one does again. */
  async changeLeaders(): Promise<void> {
    this.leader.stepDown();
    await this.run(scanMs);
    this.leader.term++;
    this.leader.lead();
    await this.run(scanMs);
  }

  /** Remaining times as they were noted, in the order of the log. */
  get notes(): readonly (readonly [bigint, number])[] {
    return this.leader.applied.flatMap((bytes) => {
      const command = decodeCommand(bytes);
      if (command.type !== "leaseCheckpoint") return [];
      return command.request.checkpoints.map(({ ID, remainingTTL }) => [ID, Number(remainingTTL)] as const);
    });
  }
}

describe("a leader's leases", () => {
  test("run out when their time is over, and not before", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 10);
    scene.leader.state.store.set(text("k"), text("v"), { lease: 5n });
    await scene.run(9_999);
    expect(scene.has(5n)).toBe(true);
    await scene.run(scanMs);
    expect(scene.has(5n)).toBe(false);
    expect(scene.leader.state.store.find(text("k"))).toBeNull();
  });

  test("live on as long as they are kept alive", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 10);
    for (let round = 0; round < 5; round++) {
      await scene.run(9_000);
      const heard = scene.keepAlive(5n);
      await scene.run();
      expect(heard.said).toBe(10);
    }
    await scene.run(9_999);
    expect(scene.has(5n)).toBe(true);
    await scene.run(scanMs);
    expect(scene.has(5n)).toBe(false);
  });

  test("tell what is left of them, rounded down, and that there is none", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 10);
    await scene.run(2_500);
    expect(await scene.ttlOf(5n)).toBe(7);
    expect(await scene.ttlOf(6n)).toBe(-1);
    scene.leader.revoke(5n);
    expect(await scene.ttlOf(5n)).toBe(-1);
  });

  test("that are granted as soon as there is a leader get their own time and no more", async () => {
    const scene = new Scene();
    scene.leader.lead();
    scene.keeper.roleChanged();
    await scene.run();
    scene.leader.grant(5n, 10);
    await scene.run(1);
    expect(await scene.ttlOf(5n)).toBe(9);
  });

  test("are counted when they are renewed and when their time is over, and not when they are revoked", async () => {
    const scene = await Scene.leading();
    for (const id of [5n, 6n, 7n]) scene.leader.grant(id, 10);
    for (const id of [5n, 5n, 8n]) scene.keepAlive(id);
    await scene.run();
    scene.leader.revoke(6n);
    await scene.run(10_000 + 2 * scanMs);
    expect(scene.keeper.counts).toEqual({ renewed: 2, expired: 2 });
  });

  test("that nobody granted can't be kept alive", async () => {
    const scene = await Scene.leading();
    const heard = scene.keepAlive(6n);
    await scene.run();
    expect(heard.said).toBe(0);
  });

  test("end at most 500 in a scan, 16 of them at a time", async () => {
    const scene = await Scene.leading();
    for (let id = 1n; id <= 1_200n; id++) scene.leader.grant(id, 10);
    scene.leader.isAlone = true;
    await scene.run(10_000 + scanMs);
    const { leases } = scene.leader.state.store;
    scene.leader.isAlone = false;
    const proposals = scene.leader.applied.length;
    scene.leader.rejoin();
    expect(scene.leader.applied.length - proposals).toBe(16);
    await scene.run();
    expect(leases.count).toBe(700);
    await scene.run(scanMs);
    expect(leases.count).toBe(200);
    await scene.run(scanMs);
    expect(leases.count).toBe(0);
  });

  test("that the cluster refuses to end are tried again, not too often, and can't be renewed meanwhile", async () => {
    const scene = await Scene.leading();
    const kind = etcdserverpb.AlarmType.CORRUPT;
    scene.leader.grant(5n, 10);
    scene.leader.state.alarms.activate({ memberId: 1n, kind });
    await scene.run(40_000);
    expect(scene.has(5n)).toBe(true);
    expect(scene.leader.applied.length).toBeLessThan(10);
    const heard = scene.keepAlive(5n);
    await scene.run();
    expect(heard.said).toBe("waits");
    scene.leader.state.alarms.deactivate({ memberId: 1n, kind });
    await scene.run(5_000 + scanMs);
    expect(heard.said).toBe(0);
  });

  test("of an id that is granted anew have nothing of the earlier one", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 10);
    await scene.run(8_000);
    scene.leader.revoke(5n);
    scene.leader.grant(5n, 20);
    await scene.run(19_000);
    expect(await scene.ttlOf(5n)).toBe(1);
    await scene.run(1_000 + scanMs);
    expect(scene.has(5n)).toBe(false);
  });
});

describe("a renewal", () => {
  test("that comes when the time is over waits until the lease is gone, and hears so", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 10);
    scene.leader.isAlone = true;
    await scene.run(10_000 + scanMs);
    const heard = scene.keepAlive(5n);
    await scene.run(1_000);
    expect(heard.said).toBe("waits");
    scene.leader.rejoin();
    await scene.run();
    expect(heard.said).toBe(0);
    expect(scene.has(5n)).toBe(false);
  });

  test("is not answered while no majority confirms the leader", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 10);
    scene.leader.isAlone = true;
    const heard = scene.keepAlive(5n);
    await scene.run(5_000);
    expect(heard.said).toBe("waits");
    scene.leader.timeOut();
    expect(heard.said).toBe("failed");
  });

  test("is not done by a member that is no longer the leader when its proof comes", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 10);
    const before = scene.keepAlive(5n);
    scene.leader.stepDown();
    await scene.run();
    expect(before.said).toBe("not-primary");
    expect(scene.keepAlive(5n).said).toBe("not-primary");
  });

  test("asked for under an earlier leadership is not done under a later one", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 10);
    const heard = scene.keepAlive(5n);
    scene.leader.term += 2;
    await scene.run();
    expect(heard.said).toBe("not-primary");
  });

  test("that waits for an expiry is sent on when leadership is lost", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 10);
    await scene.run(9_900);
    scene.leader.isAlone = true;
    await scene.run(scanMs);
    const heard = scene.keepAlive(5n);
    scene.leader.stepDown();
    await scene.run(scanMs);
    scene.leader.rejoin();
    await scene.run();
    expect(heard.said).toBe("not-primary");
  });
});

describe("a new leader", () => {
  test("gives every lease all of its time and an election time-out", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 10);
    await scene.run(9_000);
    await scene.changeLeaders();
    await scene.run(10_000);
    expect(scene.has(5n)).toBe(true);
    await scene.run(electionMs + scanMs);
    expect(scene.has(5n)).toBe(false);
  });

  test("shortens what it gave too much at the first renewal", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 10);
    await scene.changeLeaders();
    expect(await scene.ttlOf(5n)).toBe(10);
    scene.keepAlive(5n);
    await scene.run(1);
    expect(await scene.ttlOf(5n)).toBe(9);
  });

  test("ends nothing before all of the log is applied, however long that takes", async () => {
    const scene = new Scene();
    scene.leader.grant(5n, 2);
    scene.leader.isAlone = true;
    scene.leader.lead();
    await scene.run(60_000);
    expect(scene.has(5n)).toBe(true);
    scene.leader.rejoin();
    await scene.run(2_000);
    expect(scene.has(5n)).toBe(true);
    await scene.run(electionMs + 2 * scanMs);
    expect(scene.has(5n)).toBe(false);
  });

  test("tries again when it could not prove its leadership at first", async () => {
    const scene = new Scene();
    scene.leader.isAlone = true;
    scene.leader.lead();
    await scene.run(scanMs);
    scene.leader.timeOut();
    scene.leader.isAlone = false;
    await scene.run(scanMs);
    scene.leader.grant(5n, 10);
    expect(await scene.ttlOf(5n)).toBe(10);
  });

  test("lets a thousand leases and more run out at no more than 750 in a second", async () => {
    const scene = new Scene();
    for (let id = 1n; id <= 3_000n; id++) scene.leader.grant(id, 10);
    scene.leader.lead();
    await scene.run(scanMs);
    const { leases } = scene.leader.state.store;
    await scene.run(10_000 + electionMs - scanMs);
    expect(leases.count).toBe(3_000);
    for (let second = 1; second <= 4; second++) {
      await scene.run(1_000);
      expect(leases.count).toBeGreaterThanOrEqual(3_000 - 750 * (second + 1));
    }
    await scene.run(2_000);
    expect(leases.count).toBe(0);
  });

  test("refuses to end a lease for the leader that it was before", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 10);
    scene.leader.isAlone = true;
    await scene.run(10_000 + scanMs);
    // The proposal reaches the log under the next leadership.
    scene.leader.term++;
    scene.leader.rejoin();
    expect(scene.has(5n)).toBe(true);
    await scene.run(9_000);
    expect(scene.has(5n)).toBe(true);
  });
});

describe("what is left of a long lease", () => {
  test("is noted every five minutes, rounded up, for the next leader", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 3_600);
    scene.leader.grant(6n, 300);
    await scene.run(299_000);
    expect(scene.notes).toEqual([]);
    await scene.run(301_500);
    expect(scene.notes).toEqual([
      [5n, 3_300],
      [5n, expect.closeTo(3_000, -1)],
    ]);
    await scene.changeLeaders();
    expect(await scene.ttlOf(5n)).toBeLessThanOrEqual(3_001);
  });

  test("is forgotten, by the whole cluster, before a renewal is answered", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 3_600);
    await scene.run(301_000);
    expect(scene.leader.state.store.leases.get(5n)?.remainingSeconds).toBe(3_300);
    scene.leader.isAlone = true;
    const heard = scene.keepAlive(5n);
    scene.leader.rejoin();
    expect(heard.said).toBe("waits");
    await scene.run();
    expect(heard.said).toBe(3_600);
    expect(scene.leader.state.store.leases.get(5n)?.remainingSeconds).toBe(0);
    await scene.changeLeaders();
    expect(await scene.ttlOf(5n)).toBe(3_600);
  });

  test("is forgotten also if the note is only on its way when a renewal comes", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 3_600);
    scene.leader.isAlone = true;
    await scene.run(300_000 + scanMs);
    const heard = scene.keepAlive(5n);
    scene.leader.rejoin();
    await scene.run();
    expect(heard.said).toBe(3_600);
    expect(scene.notes).toEqual([
      [5n, 3_300],
      [5n, 0],
    ]);
  });

  test("is never noted of a lease that is kept alive more often", async () => {
    const scene = await Scene.leading();
    scene.leader.grant(5n, 600);
    for (let round = 0; round < 10; round++) {
      await scene.run(200_000);
      scene.keepAlive(5n);
      await scene.run();
    }
    expect(scene.notes).toEqual([]);
  });
});
