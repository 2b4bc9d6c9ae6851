import type { Connection, Ports } from "@raftkv/raft-node";
import { ConnectionRecorder } from "@raftkv/raft-node/testing";
import { describe, expect, test } from "vitest";
import { Simulation } from "./simulation.ts";

const text = (bytes: string): Uint8Array => new TextEncoder().encode(bytes);

/** A server that accepts on port 80 and a client that is connected to it. */
async function connected(simulation: Simulation): Promise<{
  readonly here: Connection;
  readonly hereSees: ConnectionRecorder;
  readonly thereSees: ConnectionRecorder;
  readonly client: Ports;
}> {
  const server = simulation.addNode("server").start();
  const client = simulation.addNode("client").start();
  const accepted: ConnectionRecorder[] = [];
  return simulation.drive(async () => {
    await server.network.listen({ host: "server", port: 80 }, (connection) => void accepted.push(new ConnectionRecorder(connection)));
    const here = await client.network.connect({ host: "server", port: 80 }, 1_000);
    const hereSees = new ConnectionRecorder(here);
    here.write(text("hello"));
    await new Promise<void>((resolve) => void client.clock.setTimer(100, resolve));
    const thereSees = accepted[0];
    if (thereSees === undefined) throw new Error("The server got no connection");
    return { here, hereSees, thereSees, client };
  });
}

function nodeOf(simulation: Simulation, name: string): Simulation["nodes"][number] {
  const node = simulation.nodes.find((one) => one.name === name);
  if (node === undefined) throw new Error(`No node ${name}`);
  return node;
}

describe("A crash", () => {
  test("ends timers, ends of turns, disk calls and connections of the old life, and the new one has its own", async () => {
    const simulation = new Simulation({ seed: 5 });
    const { hereSees } = await connected(simulation);
    const node = nodeOf(simulation, "client");
    const old = node.restart();
    const seen: string[] = [];
    old.clock.setTimer(10, () => void seen.push("timer"));
    old.clock.atEndOfTurn(() => void seen.push("end of turn"));
    void old.disk.list("/").then(() => seen.push("list"));
    void old.network.listen({ host: "client", port: 81 }, () => {}).then(() => seen.push("listen"));
    void old.network.connect({ host: "server", port: 80 }, 1_000).then(() => seen.push("connect"));
    const next = node.restart();
    old.clock.setTimer(1, () => void seen.push("timer of a dead process"));
    old.logger.info("Said by a dead process");
    void old.disk.list("/").then(() => seen.push("list by a dead process"));
    next.clock.setTimer(1, () => void seen.push("new timer"));
    next.logger.info("Said by the living");
    await simulation.runFor(5_000);
    expect(seen).toEqual(["new timer"]);
    expect(node.log.lines.map((line) => line.message)).toEqual(["Said by the living"]);
    expect(hereSees.closes).toEqual([]);
  });

  test("each life draws chance of its own", () => {
    const simulation = new Simulation({ seed: 5 });
    const node = simulation.addNode("a");
    const first = node.start().random.below(2 ** 32);
    expect(node.restart().random.below(2 ** 32)).not.toBe(first);
  });

  test("of the process closes its connections for the other end", async () => {
    const simulation = new Simulation({ seed: 5 });
    const { hereSees, client } = await connected(simulation);
    nodeOf(simulation, "server").crash();
    await simulation.runFor(100);
    expect(hereSees.closes).toEqual([null]);
    const refused = simulation.drive(() => client.network.connect({ host: "server", port: 80 }, 1_000));
    await expect(refused).rejects.toMatchObject({ code: "refused" });
  });

  test("of the process with bytes unread resets the connection", async () => {
    const simulation = new Simulation({ seed: 5 });
    const { here, hereSees } = await connected(simulation);
    const server = nodeOf(simulation, "server");
    server.pause();
    here.write(text("nobody reads this"));
    await simulation.runFor(100);
    server.crash();
    await simulation.runFor(100);
    expect(hereSees.closes).toMatchObject([{ code: "ECONNRESET" }]);
  });

  test("of the power leaves connections half-open until the machine is back and something is sent", async () => {
    const simulation = new Simulation({ seed: 5 });
    const { here, hereSees, client } = await connected(simulation);
    const server = nodeOf(simulation, "server");
    server.losePower();
    here.write(text("into the dark"));
    await simulation.runFor(60_000);
    expect(hereSees.closes).toEqual([]);
    const silent = simulation.drive(() => client.network.connect({ host: "server", port: 80 }, 1_000));
    await expect(silent).rejects.toMatchObject({ code: "timed-out" });
    server.start();
    await simulation.runFor(100);
    expect(hereSees.closes).toMatchObject([{ code: "ECONNRESET" }]);
  });

  test("of the power is noticed by the sender's kernel after a quarter of an hour", async () => {
    const simulation = new Simulation({ seed: 5 });
    const { here, hereSees } = await connected(simulation);
    nodeOf(simulation, "server").losePower();
    here.write(text("into the dark"));
    await simulation.runFor(899_000);
    expect(hereSees.closes).toEqual([]);
    await simulation.runFor(2_000);
    expect(hereSees.closes).toMatchObject([{ code: "ETIMEDOUT" }]);
  });

  test("releases the lock of a directory", async () => {
    const simulation = new Simulation({ seed: 5 });
    const node = simulation.addNode("a");
    const { disk } = node.start();
    await simulation.drive(async () => {
      await disk.makeDirectory("/data");
      await disk.lock("/data");
      await expect(disk.lock("/data")).rejects.toMatchObject({ code: "locked" });
    });
    const next = node.restart();
    await simulation.drive(() => next.disk.lock("/data"));
  });
});

describe("A pause", () => {
  test("delivers nothing, then everything in order, while the machine goes on accepting", async () => {
    const simulation = new Simulation({ seed: 6 });
    const { here, thereSees, client } = await connected(simulation);
    const server = nodeOf(simulation, "server");
    server.pause();
    here.write(text(", are you there"));
    here.write(text("?"));
    const second = await simulation.drive(() => client.network.connect({ host: "server", port: 80 }, 1_000));
    const secondSees = new ConnectionRecorder(second);
    second.write(text("me too"));
    await simulation.runFor(10_000);
    expect([thereSees.text, here.remoteAddress]).toEqual(["hello", "server:80"]);
    server.resume();
    await simulation.runFor(1);
    expect(thereSees.text).toBe("hello, are you there?");
    expect(secondSees.closes).toEqual([]);
  });

  test("makes timers late, and a timer that another one cancels after the pause stays silent", async () => {
    const simulation = new Simulation({ seed: 6 });
    const node = simulation.addNode("a");
    const { clock } = node.start();
    const fired: string[] = [];
    clock.setTimer(10, () => {
      fired.push(`first at ${clock.monotonicMs()}`);
      second.cancel();
    });
    const second = clock.setTimer(20, () => void fired.push("second"));
    clock.setTimer(30, () => void fired.push(`third at ${clock.monotonicMs()}`));
    node.pause();
    await simulation.runFor(50);
    expect(fired).toEqual([]);
    node.resume();
    await simulation.runFor(50);
    expect(fired).toEqual(["first at 50", "third at 50"]);
  });
});

describe("A clock", () => {
  test("that is fast sees its timers at the time it shows", async () => {
    const simulation = new Simulation({ seed: 7 });
    const node = simulation.addNode("a");
    node.clock.setDrift(100_000);
    const { clock } = node.start();
    const fired: number[] = [];
    clock.setTimer(1_100, () => void fired.push(simulation.nowMs));
    await simulation.runFor(2_000);
    expect([fired, clock.monotonicMs()]).toEqual([[1_000], 2_200]);
  });

  test("that is slowed down keeps timers waiting, and one that jumps ahead makes them due", async () => {
    const simulation = new Simulation({ seed: 7 });
    const node = simulation.addNode("a");
    const { clock } = node.start();
    const fired: number[] = [];
    clock.setTimer(1_000, () => void fired.push(simulation.nowMs));
    node.clock.setDrift(-100_000);
    await simulation.runFor(1_111);
    expect(fired).toEqual([]);
    await simulation.runFor(1);
    expect(fired.length).toBe(1);
    const before = clock.monotonicMs();
    node.clock.jumpMonotonic(3_600_000);
    expect(clock.monotonicMs()).toBeCloseTo(before + 3_600_000, 3);
  });

  test("on the wall jumps in both directions without touching the other", () => {
    const simulation = new Simulation({ seed: 7 });
    const node = simulation.addNode("a");
    const { clock } = node.start();
    const [wall, monotonic] = [clock.wallMs(), clock.monotonicMs()];
    node.clock.jumpWall(-3_600_000);
    expect([clock.wallMs() - wall, clock.monotonicMs()]).toEqual([-3_600_000, monotonic]);
  });
});
