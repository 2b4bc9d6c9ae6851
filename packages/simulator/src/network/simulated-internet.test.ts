import type { Connection, Ports } from "@raftkv/raft-node";
import { ConnectionRecorder } from "@raftkv/raft-node/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Simulation } from "../simulation.ts";

const text = (bytes: string): Uint8Array => new TextEncoder().encode(bytes);

interface World {
  readonly simulation: Simulation;
  readonly ports: Readonly<Record<"a" | "b" | "c", Ports>>;
}

/** Three machines that listen on port 1 and echo nothing; `accepted` gets who listens. */
async function world(seed: number, accepted: ConnectionRecorder[] = []): Promise<World> {
  const simulation = new Simulation({ seed });
  const ports = { a: simulation.addNode("a").start(), b: simulation.addNode("b").start(), c: simulation.addNode("c").start() };
  await simulation.drive(async () => {
    for (const [name, { network }] of Object.entries(ports)) {
      await network.listen({ host: name, port: 1 }, (connection) => void accepted.push(new ConnectionRecorder(connection)));
    }
  });
  return { simulation, ports };
}

function connect({ simulation, ports }: World, from: "a" | "b", to: string): Promise<Connection> {
  return simulation.drive(() => ports[from].network.connect({ host: to, port: 1 }, 3_000));
}

describe("SimulatedInternet", () => {
  test("a cut link holds a stream in one direction and gives all of it in order after it has healed", async () => {
    const accepted: ConnectionRecorder[] = [];
    const it = await world(1, accepted);
    const here = await connect(it, "a", "b");
    const hereSees = new ConnectionRecorder(here);
    await it.simulation.runFor(100);
    it.simulation.internet.cut("a", "b");
    for (const part of ["one ", "two ", "three"]) {
      here.write(text(part));
      await it.simulation.runFor(500);
    }
    expect([accepted[0]?.text, hereSees.closes]).toEqual(["", []]);
    it.simulation.internet.heal("a", "b");
    await it.simulation.runFor(100);
    expect(accepted[0]?.text).toBe("one two three");
  });

  test("while the way back is cut a sender gets no further than the window", async () => {
    const accepted: ConnectionRecorder[] = [];
    const it = await world(2, accepted);
    const here = await connect(it, "a", "b");
    new ConnectionRecorder(here);
    await it.simulation.runFor(100);
    it.simulation.internet.cut("b", "a");
    for (let i = 0; i < 100; i++) {
      here.write(new Uint8Array(10_000));
      await it.simulation.runFor(10);
    }
    expect(accepted[0]?.bytesTotal).toBe(262_144);
    it.simulation.internet.healAll();
    await it.simulation.runFor(1_000);
    expect(accepted[0]?.bytesTotal).toBe(1_000_000);
  });

  test("connecting waits out a short cut and gives up after a long one", async () => {
    const it = await world(3);
    it.simulation.internet.clog("a", "b", 500);
    new ConnectionRecorder(await connect(it, "a", "b"));
    expect(it.simulation.nowMs).toBeGreaterThan(1_000);
    it.simulation.internet.cut("b", "a");
    await expect(connect(it, "a", "b")).rejects.toMatchObject({ code: "timed-out", message: "Nobody answered at b:1 within 3000 ms" });
  });

  test("a partition lets only machines of one group talk", async () => {
    const it = await world(4);
    it.simulation.internet.partition([["a", "b"], ["c"]]);
    new ConnectionRecorder(await connect(it, "a", "b"));
    await expect(connect(it, "a", "c")).rejects.toMatchObject({ code: "timed-out" });
    it.simulation.internet.healAll();
    new ConnectionRecorder(await connect(it, "a", "c"));
  });

  test("reset connections fail at both ends, those with others go on", async () => {
    const accepted: ConnectionRecorder[] = [];
    const it = await world(5, accepted);
    const toB = new ConnectionRecorder(await connect(it, "a", "b"));
    const toC = new ConnectionRecorder(await connect(it, "a", "c"));
    await it.simulation.runFor(100);
    it.simulation.internet.resetConnections("b", "a");
    await it.simulation.runFor(100);
    expect(toB.closes).toMatchObject([{ code: "ECONNRESET" }]);
    expect(accepted.map((end) => end.closes.length)).toEqual([1, 0]);
    expect(toC.closes).toEqual([]);
  });

  test("a link that resets delivers a prefix and closes both ends", async () => {
    const accepted: ConnectionRecorder[] = [];
    const it = await world(6, accepted);
    const here = await connect(it, "a", "b");
    const hereSees = new ConnectionRecorder(here);
    await it.simulation.runFor(100);
    it.simulation.internet.setLink("a", "b", { resetOneIn: 1 });
    here.write(text("cut anywhere"));
    await it.simulation.runFor(100);
    expect(hereSees.closes).toMatchObject([{ code: "ECONNRESET" }]);
    expect(accepted[0]?.closes).toMatchObject([{ code: "ECONNRESET" }]);
    expect("cut anywhere".startsWith(accepted[0]?.text ?? "none")).toBe(true);
  });

  test("bytes per second are kept to", async () => {
    const accepted: ConnectionRecorder[] = [];
    const it = await world(7, accepted);
    it.simulation.internet.setLinks({ bytesPerSecond: 100_000, delayMeanMs: 0 });
    const here = await connect(it, "a", "b");
    new ConnectionRecorder(here);
    here.write(new Uint8Array(200_000));
    await it.simulation.runFor(1_900);
    expect(accepted[0]?.bytesTotal).toBeLessThan(200_000);
    await it.simulation.runFor(200);
    expect(accepted[0]?.bytesTotal).toBe(200_000);
  });

  test("a connection whose owner sets no handlers ends the run with a sentence", async () => {
    const it = await world(8);
    await it.simulation.drive(() => it.ports.c.network.listen({ host: "c", port: 2 }, () => {}));
    const here = await it.simulation.drive(() => it.ports.a.network.connect({ host: "c", port: 2 }, 1_000));
    new ConnectionRecorder(here);
    here.write(text("hello"));
    await expect(it.simulation.runFor(100)).rejects.toThrow(/was handed out, and its handlers were not set in that turn/);
  });

  test("whatever is cut, healed, clogged and paused, a stream arrives whole and in order, or its ends hear of a failure", async () => {
    const faults = fc.array(
      fc.record({ kind: fc.constantFrom("cut", "heal", "clog", "pause", "resume"), forMs: fc.nat(40), isForth: fc.boolean() }),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(), faults, async (seed, plan) => {
        const accepted: ConnectionRecorder[] = [];
        const it = await world(seed, accepted);
        const here = await connect(it, "a", "b");
        const hereSees = new ConnectionRecorder(here);
        const nodeB = it.simulation.nodes[1];
        const sent: number[] = [];
        for (const { kind, forMs, isForth } of plan) {
          const [from, to] = isForth ? ["a", "b"] : ["b", "a"];
          if (kind === "cut") it.simulation.internet.cut(from, to);
          if (kind === "heal") it.simulation.internet.heal(from, to);
          if (kind === "clog") it.simulation.internet.clog(from, to, forMs);
          if (kind === "pause") nodeB?.pause();
          if (kind === "resume") nodeB?.resume();
          const bytes = Uint8Array.from({ length: forMs * 300 }, (_, position) => (sent.length + position) % 251);
          for (const byte of bytes) sent.push(byte);
          here.write(bytes);
          await it.simulation.runFor(forMs / 4);
        }
        it.simulation.internet.healAll();
        nodeB?.resume();
        here.end();
        await it.simulation.runUntil(() => hereSees.closes.length > 0, { withinMs: 60_000 });
        expect(hereSees.closes).toEqual([null]);
        const got = accepted[0]?.bytes ?? new Uint8Array(0);
        expect(got.length).toBe(sent.length);
        expect(got.findIndex((byte, position) => byte !== sent[position])).toBe(-1);
      }),
      { numRuns: 40 },
    );
  });
});
