import { create, etcdserverpb } from "@raftkv/api";
import type { Disk } from "@raftkv/raft-node";
import { Channel, type Client, createClient } from "@raftkv/raft-rpc";
import { describe, expect, test } from "vitest";
import type { SimulatedNode } from "../simulated-node.ts";
import { clientPort, SimulatedCluster } from "./simulated-cluster.ts";

type KvClient = Client<typeof etcdserverpb.kvService>;
type MaintenanceClient = Client<typeof etcdserverpb.maintenanceService>;

const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);
const oneKey = {
  key: text("w-7"),
  rangeEnd: new Uint8Array(0),
  limit: 0,
  revision: 0,
  sortOrder: 0,
  sortTarget: 0,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
};

class Fixture {
  readonly cluster: SimulatedCluster;
  readonly kv: readonly KvClient[];
  readonly maintenance: readonly MaintenanceClient[];

  constructor(seed: number, size = 3) {
    this.cluster = new SimulatedCluster({ seed, size });
    const { network, clock, random } = this.cluster.simulation.addNode("client").start();
    const channels = this.cluster.nodes.map(({ name }) => {
      const connect = (): ReturnType<typeof network.connect> => network.connect({ host: name, port: clientPort }, 500);
      return new Channel({ connect, authority: `${name}:${clientPort}`, clock, random });
    });
    this.kv = channels.map((channel) => createClient(etcdserverpb.kvService, channel));
    this.maintenance = channels.map((channel) => createClient(etcdserverpb.maintenanceService, channel));
  }

  get nodes(): readonly SimulatedNode[] {
    return this.cluster.nodes;
  }

  /** Members that have a leader, and 40 keys written through the first one. */
  async begin(): Promise<void> {
    const { simulation } = this.cluster;
    await simulation.drive(() => this.cluster.startAll());
    await simulation.runUntil(() => this.nodes.every((node) => (this.cluster.memberOn(node)?.context.node.leader ?? 0) !== 0), {
      withinMs: 10_000,
    });
    for (let number = 0; number < 40; number++) await this.put(0, `w-${number}`);
  }

  put(member: number, key: string): Promise<unknown> {
    const request = { key: text(key), value: text(key), lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
    return this.cluster.simulation.drive(async () => this.kv[member]?.put(request, { timeoutMs: 10_000 }), { withinMs: 15_000 });
  }

  /** How many keys a read at this member finds; what it was refused with. */
  read(member: number, serializable: boolean): Promise<number | string> {
    return this.cluster.simulation.drive(async () => {
      try {
        return (await this.kv[member]?.range({ ...oneKey, serializable }, { timeoutMs: 3_000 }))?.kvs.length ?? 0;
      } catch (error) {
        return String(error);
      }
    });
  }

  errorsOf(member: number): Promise<readonly string[]> {
    return this.cluster.simulation.drive(
      async () => (await this.maintenance[member]?.status(create(etcdserverpb.StatusRequestSchema), { timeoutMs: 3_000 }))?.errors ?? [],
    );
  }

  /** The member ends, its disk is changed, and it starts again. */
  async damage(node: SimulatedNode, change: (disk: Disk) => Promise<void>): Promise<void> {
    this.cluster.crash(node);
    await this.cluster.simulation.drive(() => change(node.start().disk));
    this.cluster.crash(node);
    await this.cluster.simulation.drive(() => this.cluster.start(node));
  }
}

/** Turns every bit of 64 KiB in each segment, where entries lie that were acknowledged. */
async function spoilLog(disk: Disk): Promise<void> {
  const names = (await disk.list("/data/wal")).filter((name) => name.endsWith(".wal"));
  for (const name of names) await spoil(disk, `/data/wal/${name}`, 8_192, 65_536);
}

async function spoil(disk: Disk, path: string, from: number, length: number): Promise<void> {
  const file = await disk.open(path, "write");
  const bytes = await file.read(from, length);
  await file.write(from, [bytes.map((byte) => ~byte & 0xff)]);
  await file.sync();
  await file.close();
}

describe("a member whose log is damaged", () => {
  test("comes back by itself, with everything, and its vote counts again", async () => {
    const fixture = new Fixture(11);
    const { cluster } = fixture;
    const [first, second, third] = fixture.nodes;
    if (first === undefined || second === undefined || third === undefined) throw new Error("There are three members");
    await fixture.begin();
    await fixture.damage(second, spoilLog);
    const repaired = (): boolean => cluster.memberOn(second)?.context.node.memberState === "sound";
    expect(repaired()).toBe(false);
    await cluster.simulation.runUntil(repaired, { withinMs: 10_000 });
    expect([await fixture.read(1, true), await fixture.errorsOf(1)]).toEqual([1, []]);

    cluster.crash(first);
    // A write that is sent on to a leader that has just died would be lost.
    await cluster.simulation.runFor(3_000);
    await fixture.put(1, "w-after");
    expect(await fixture.read(2, false)).toBe(1);

    // What is damaged is out of the way for good.
    cluster.crash(second);
    await cluster.simulation.drive(() => cluster.start(second));
    expect(repaired()).toBe(true);
  });

  test("comes back also with nothing left but its term and its vote", async () => {
    const fixture = new Fixture(15);
    const { cluster } = fixture;
    const [, second] = fixture.nodes;
    if (second === undefined) throw new Error("There are three members");
    await fixture.begin();
    await fixture.damage(second, async (disk) => {
      for (const directory of ["/data/wal", "/data/snap"]) {
        for (const name of await disk.list(directory)) await disk.remove(`${directory}/${name}`);
        await disk.syncDirectory(directory);
      }
    });
    expect(cluster.memberOn(second)?.context.node.memberState).toBe("repairing");
    await cluster.simulation.runUntil(() => cluster.memberOn(second)?.context.node.memberState === "sound", { withinMs: 10_000 });
    expect([await fixture.read(1, true), await fixture.errorsOf(1)]).toEqual([1, []]);
  });

  test("says what is lost while nobody leads, and shows nothing that it may have to take back", async () => {
    const fixture = new Fixture(12);
    const { cluster } = fixture;
    const [first, second, third] = fixture.nodes;
    if (first === undefined || second === undefined || third === undefined) throw new Error("There are three members");
    await fixture.begin();
    cluster.crash(first);
    cluster.crash(third);
    await fixture.damage(second, spoilLog);
    expect(await fixture.errorsOf(1)).toEqual([
      "etcdserver: no leader",
      expect.stringMatching(/^raftkv: this member lost entries from log index \d+ on and is under repair/),
    ]);
    expect(await fixture.read(1, true)).toContain("lost entries and does not have all of them again");
    await cluster.simulation.drive(() => cluster.start(first));
    await cluster.simulation.runFor(12_000);
    expect(fixture.nodes.map((node) => cluster.memberOn(node)?.context.node.isLeader ?? false)).toEqual([false, false, false]);
    await cluster.simulation.drive(() => cluster.start(third));
    await cluster.simulation.runFor(5_000);
    expect([await fixture.read(1, true), await fixture.errorsOf(1)]).toEqual([1, []]);
  });

  test("does not start if nobody else has what it lost", async () => {
    const fixture = new Fixture(13, 1);
    const [only] = fixture.nodes;
    if (only === undefined) throw new Error("There is a member");
    await fixture.begin();
    await expect(fixture.damage(only, spoilLog)).rejects.toThrow(
      /only voter of the group lost entries from log index \d+ on.*put back a copy/,
    );
  });
});

describe("a member whose meta file is damaged", () => {
  test("runs, says so, and takes no part, while the others go on", async () => {
    const fixture = new Fixture(14);
    const { cluster } = fixture;
    const [, second, third] = fixture.nodes;
    if (second === undefined || third === undefined) throw new Error("There are three members");
    await fixture.begin();
    await fixture.damage(second, (disk) => spoil(disk, "/data/meta", 0, 53_248));
    await cluster.simulation.runFor(3_000);
    expect(await fixture.errorsOf(1)).toEqual([expect.stringMatching(/^raftkv: this member can't stand by what it acknowledged.*meta/)]);
    expect(await fixture.read(1, true)).toContain("can't trust its data");
    await fixture.put(0, "w-after");

    cluster.crash(third);
    await cluster.simulation.runFor(12_000);
    expect(fixture.nodes.map((node) => cluster.memberOn(node)?.context.node.isLeader ?? false)).toEqual([false, false, false]);
  });
});
