import type { Connection, Ports } from "@raftkv/raft-node";
import { describe, expect, test } from "vitest";
import { Simulation, SimulationError } from "./simulation.ts";

/** Two machines: one answers every byte with the next, the other asks, writes down what it gets, and syncs now and then. */
async function conversation(simulation: Simulation): Promise<readonly number[]> {
  const server = simulation.addNode("server").start();
  const client = simulation.addNode("client").start();
  const heard: number[] = [];
  await simulation.drive(async () => {
    await server.network.listen({ host: "server", port: 80 }, (connection) => {
      connection.setHandlers({
        onData: (bytes) => void connection.write(bytes.map((byte) => byte + 1)),
        onDrain: () => {},
        onClose: () => {},
      });
    });
    const connection = await client.network.connect({ host: "server", port: 80 }, 1_000);
    await talk(client, connection, heard);
  });
  return heard;
}

async function talk(ports: Ports, connection: Connection, heard: number[]): Promise<void> {
  const file = await (async () => {
    let wake: () => void = () => {};
    const enough = new Promise<void>((resolve) => {
      wake = resolve;
    });
    connection.setHandlers({
      onData: (bytes) => {
        heard.push(...bytes);
        if (heard.length >= 5_000) wake();
        else if (heard.length % 100 === 0)
          ports.clock.setTimer(ports.random.below(5), () => void connection.write(ports.random.bytes(100)));
      },
      onDrain: () => {},
      onClose: () => {},
    });
    connection.write(ports.random.bytes(100));
    const opened = await ports.disk.open("/heard", "create");
    await enough;
    return opened;
  })();
  await file.write(0, [Uint8Array.from(heard)]);
  await file.sync();
  ports.logger.info("Heard enough", { count: heard.length });
}

describe("Simulation", () => {
  test("two runs of one seed are equal event by event, and two seeds are not", async () => {
    const first = new Simulation({ seed: 7 });
    const second = new Simulation({ seed: 7 });
    const other = new Simulation({ seed: 8 });
    expect(await conversation(first)).toEqual(await conversation(second));
    await conversation(other);
    expect(first.trace.hash).toBe(second.trace.hash);
    expect(first.trace.text).toBe(second.trace.text);
    expect(first.eventsTotal).toBeGreaterThan(100);
    expect(first.trace.hash).not.toBe(other.trace.hash);
  });

  test("one event's microtasks are over before the next event, however long their chain", async () => {
    const simulation = new Simulation({ seed: 1 });
    const order: string[] = [];
    simulation.schedule(1, () => {
      void (async () => {
        for (let i = 0; i < 1_000; i++) await Promise.resolve();
        process.nextTick(() => void Promise.resolve().then(() => order.push("first")));
      })();
    });
    simulation.schedule(1, () => void order.push("second"));
    await simulation.runUntilIdle();
    expect(order).toEqual(["first", "second"]);
  });

  test("an idle hour costs nothing, and runFor ends exactly when it says", async () => {
    const simulation = new Simulation({ seed: 1 });
    const seen: number[] = [];
    simulation.schedule(3_600_000, () => void seen.push(simulation.nowMs));
    await simulation.runFor(3_599_999.5);
    expect([seen, simulation.nowMs]).toEqual([[], 3_599_999.5]);
    await simulation.runFor(1);
    expect(seen).toEqual([3_600_000]);
  });

  test("step lets one event happen, and a cancelled one never", async () => {
    const simulation = new Simulation({ seed: 1 });
    const seen: string[] = [];
    simulation.schedule(1, () => void seen.push("a"));
    const cancel = simulation.schedule(2, () => void seen.push("b"));
    simulation.schedule(3, () => void seen.push("c"));
    cancel();
    expect([await simulation.step(), [...seen]]).toEqual([true, ["a"]]);
    expect([await simulation.step(), [...seen]]).toEqual([true, ["a", "c"]]);
    expect(await simulation.step()).toBe(false);
  });

  test("the clock, timers and chance of the real process throw in a run and are back after it", async () => {
    const simulation = new Simulation({ seed: 1 });
    const taken = [
      [globalThis, "Date"],
      [Math, "random"],
      [globalThis, "setTimeout"],
      [globalThis, "setImmediate"],
      [performance, "now"],
      [process, "hrtime"],
    ] as const;
    const present = (): unknown[] => taken.map(([target, key]): unknown => Reflect.get(target, key));
    const before = present();
    const forbidden: (() => unknown)[] = [
      () => Date.now(),
      () => new Date(),
      () => Date(),
      () => Math.random(),
      () => performance.now(),
      () => setTimeout(() => {}, 0),
      () => setInterval(() => {}, 1),
      () => setImmediate(() => {}),
      () => crypto.randomUUID(),
      () => crypto.getRandomValues(new Uint8Array(1)),
      () => process.hrtime.bigint(),
      () => AbortSignal.timeout(1),
    ];
    await simulation.drive(async () => {
      for (const use of forbidden) expect(use).toThrow(/was used in a simulated run/);
      expect(new Date(0).toISOString()).toBe("1970-01-01T00:00:00.000Z");
    });
    for (const [position, value] of present().entries()) expect(value).toBe(before[position]);
    expect(Date.now()).toBeGreaterThan(1_700_000_000_000);
  });

  test("an event that throws ends the run with the seed and the time", async () => {
    const simulation = new Simulation({ seed: 12 });
    simulation.schedule(5, () => {
      throw new Error("Commit went back");
    });
    await expect(simulation.runUntilIdle()).rejects.toThrow(new SimulationError("Seed 12 at 5 ms: Commit went back"));
  });

  test("a promise that is rejected and awaited by nobody ends the run", async () => {
    const simulation = new Simulation({ seed: 12 });
    simulation.schedule(5, () => void Promise.reject(new Error("Nobody listens")));
    simulation.schedule(6, () => {});
    await expect(simulation.runUntilIdle()).rejects.toThrow("Seed 12 at 5 ms: Nobody listens");
  });

  test("a run says so when what it waits for can't come or comes too late", async () => {
    const simulation = new Simulation({ seed: 3 });
    await expect(simulation.drive(() => new Promise(() => {}))).rejects.toThrow("Nothing is left to happen");
    simulation.schedule(1_000, () => {});
    await expect(simulation.runUntil(() => false, { withinMs: 999 })).rejects.toThrow("has not come within 999 ms");
  });

  test("an endless loop at one instant is found", async () => {
    const simulation = new Simulation({ seed: 3, traceLinesMax: 10 });
    const { clock } = simulation.addNode("a").start();
    const again = (): void => clock.atEndOfTurn(again);
    again();
    await expect(simulation.runFor(1)).rejects.toThrow(/Time stands still at 0 us/);
  });

  test("two simulations can't run at once in one process", async () => {
    const one = new Simulation({ seed: 1 });
    const other = new Simulation({ seed: 2 });
    const running = one.runFor(1);
    await expect(other.runFor(1)).rejects.toThrow("Another simulation runs in this process");
    await running;
  });
});
