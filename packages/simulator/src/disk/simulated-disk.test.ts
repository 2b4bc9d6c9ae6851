import type { Disk } from "@raftkv/raft-node";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SimulatedNode } from "../simulated-node.ts";
import { Simulation } from "../simulation.ts";
import { sectorBytes } from "./file-image.ts";
import type { SimulatedDiskOptions } from "./simulated-disk.ts";

const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);

function machine(
  seed: number,
  disk: SimulatedDiskOptions = {},
): { readonly simulation: Simulation; readonly node: SimulatedNode; readonly disk: Disk } {
  const simulation = new Simulation({ seed, traceLinesMax: 0 });
  const node = simulation.addNode("a", { disk });
  return { simulation, node, disk: node.start().disk };
}

/** What is in a file after a restart, null if it is not there. */
async function contentAfter(simulation: Simulation, node: SimulatedNode, path: string): Promise<Uint8Array | null> {
  const { disk } = node.restart();
  return simulation.drive(async () => {
    try {
      const file = await disk.open(path, "read");
      return await file.read(0, await file.sizeBytes());
    } catch {
      return null;
    }
  });
}

describe("A crash of the process", () => {
  test("keeps what was written, synced or not", async () => {
    const { simulation, node, disk } = machine(1);
    await simulation.drive(async () => (await disk.open("/file", "create")).write(0, [filled(5_000, 7)]));
    node.crash();
    expect(await contentAfter(simulation, node, "/file")).toEqual(filled(5_000, 7));
  });

  test("leaves any beginning of a write on its way", async () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const { simulation, node, disk } = machine(seed);
      const file = await simulation.drive(() => disk.open("/file", "create"));
      void file.write(0, [filled(10, 1), filled(10, 2)]);
      node.crash();
      const content = await contentAfter(simulation, node, "/file");
      lengths.add(content?.length ?? -1);
      expect(content).toEqual(Uint8Array.of(...filled(10, 1), ...filled(10, 2)).subarray(0, content?.length));
    }
    expect(lengths.size).toBeGreaterThan(10);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(20);
  });
});

describe("A loss of power", () => {
  test("keeps what was synced under a synced name, whatever comes after", async () => {
    for (let seed = 0; seed < 100; seed++) {
      const { simulation, node, disk } = machine(seed);
      await simulation.drive(async () => {
        const file = await disk.open("/file", "create");
        await file.write(0, [filled(3 * sectorBytes, 7)]);
        await Promise.all([file.sync(), disk.syncDirectory("/")]);
        await file.write(3 * sectorBytes, [filled(2_000, 8)]);
      });
      node.losePower();
      const content = await contentAfter(simulation, node, "/file");
      expect(content?.subarray(0, 3 * sectorBytes)).toEqual(filled(3 * sectorBytes, 7));
    }
  });

  test("leaves of unsynced sectors any subset, each old or new and none mixed", async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const { simulation, node, disk } = machine(seed);
      await simulation.drive(async () => {
        const file = await disk.open("/file", "create");
        await file.write(0, [filled(3 * sectorBytes, 1)]);
        await Promise.all([file.sync(), disk.syncDirectory("/")]);
        await file.write(0, [filled(3 * sectorBytes, 2)]);
      });
      node.losePower();
      const content = (await contentAfter(simulation, node, "/file")) ?? filled(0, 0);
      const sectors = [0, 1, 2].map((sector) => new Set(content.subarray(sector * sectorBytes, (sector + 1) * sectorBytes)));
      for (const values of sectors) expect(values.size).toBe(1);
      outcomes.add(sectors.map((values) => [...values].join()).join(" "));
    }
    expect([...outcomes].sort()).toEqual(["1 1 1", "1 1 2", "1 2 1", "1 2 2", "2 1 1", "2 1 2", "2 2 1", "2 2 2"]);
  });

  test("may leave zeros or rubbish in a torn sector where the disk does so", async () => {
    for (const tornSector of ["zero", "rubbish"] as const) {
      let torn = 0;
      for (let seed = 0; seed < 60; seed++) {
        const { simulation, node, disk } = machine(seed, { tornSector });
        await simulation.drive(async () => {
          const file = await disk.open("/file", "create");
          await file.write(0, [filled(sectorBytes, 1)]);
          await Promise.all([file.sync(), disk.syncDirectory("/")]);
          await file.write(0, [filled(sectorBytes, 2)]);
        });
        node.losePower();
        const values = new Set(await contentAfter(simulation, node, "/file"));
        if (tornSector === "zero" ? values.has(0) : values.size > 2) torn++;
      }
      expect(torn).toBeGreaterThan(0);
    }
  });

  test("takes or leaves each name that was not synced, also that of a synced file; a rename happens whole", async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const { simulation, node, disk } = machine(seed);
      await simulation.drive(async () => {
        await disk.makeDirectory("/data");
        await disk.syncDirectory("/");
        for (const [path, byte] of [["/data/target", 1] as const, ["/data/next", 2] as const]) {
          const file = await disk.open(path, "create");
          await file.write(0, [filled(4, byte)]);
          await file.sync();
        }
        await disk.syncDirectory("/data");
        await disk.rename("/data/next", "/data/target");
        await (await disk.open("/data/other", "create")).sync();
      });
      node.losePower();
      const names = await (async () => {
        const ports = node.start();
        return simulation.drive(() => ports.disk.list("/data"));
      })();
      outcomes.add(`${names.join()} ${node.disk.contentOf("/data/target")[0]}`);
    }
    expect([...outcomes].sort()).toEqual(["next,other,target 1", "next,target 1", "other,target 2", "target 2"]);
  });

  test("does not lose a write that was done before the sync began, and may lose one that was done during it", async () => {
    let lost = 0;
    for (let seed = 0; seed < 100; seed++) {
      const { simulation, node, disk } = machine(seed, { sync: { minMs: 10, meanMs: 0 } });
      await simulation.drive(async () => {
        const file = await disk.open("/file", "create");
        await disk.syncDirectory("/");
        await file.write(0, [filled(sectorBytes, 1)]);
        const syncing = file.sync();
        await file.write(sectorBytes, [filled(sectorBytes, 2)]);
        await syncing;
      });
      node.losePower();
      const content = await contentAfter(simulation, node, "/file");
      expect(content?.subarray(0, sectorBytes)).toEqual(filled(sectorBytes, 1));
      if (content?.[sectorBytes] !== 2) lost++;
    }
    expect(lost).toBeGreaterThan(20);
    expect(lost).toBeLessThan(100);
  });

  test("of all sectors a file leaves only contents they had since the last sync", async () => {
    const writes = fc.array(fc.record({ sector: fc.nat(5), sync: fc.boolean() }), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(fc.nat(), writes, async (seed, plan) => {
        const { simulation, node, disk } = machine(seed);
        const allowed = Array.from({ length: 6 }, () => new Set([0]));
        await simulation.drive(async () => {
          const file = await disk.open("/file", "create");
          await file.truncate(6 * sectorBytes);
          await Promise.all([file.sync(), disk.syncDirectory("/")]);
          let byte = 0;
          for (const { sector, sync } of plan) {
            byte++;
            await file.write(sector * sectorBytes, [filled(sectorBytes, byte)]);
            allowed[sector]?.add(byte);
            if (!sync) continue;
            await file.sync();
            for (const [position, values] of allowed.entries()) allowed[position] = new Set([...values].slice(-1));
          }
        });
        node.losePower();
        const content = (await contentAfter(simulation, node, "/file")) ?? filled(0, 0);
        expect(content.length).toBe(6 * sectorBytes);
        for (const [sector, values] of allowed.entries()) expect([...values]).toContain(content[sector * sectorBytes]);
      }),
      { numRuns: 60 },
    );
  });
});

describe("A durable write", () => {
  const power = async (seed: number, writes: (disk: Disk) => Promise<void>): Promise<Uint8Array | null> => {
    const { simulation, node, disk } = machine(seed);
    await simulation.drive(() => writes(disk));
    node.losePower();
    return contentAfter(simulation, node, "/file");
  };

  test("keeps its sectors and its size when the power goes, and nothing of what was not synced before", async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const content = await power(seed, async (disk) => {
        const file = await disk.open("/file", "create");
        await disk.syncDirectory("/");
        await file.write(0, [filled(6 * sectorBytes, 1)]);
        await file.writeDurably(2 * sectorBytes, [filled(sectorBytes, 2), filled(sectorBytes, 3)]);
      });
      expect(content?.subarray(2 * sectorBytes, 4 * sectorBytes)).toEqual(Uint8Array.of(...filled(512, 2), ...filled(512, 3)));
      outcomes.add(`${content?.[0]} ${content?.[sectorBytes]}, ${(content?.length ?? 0) / sectorBytes} sectors`);
    }
    const sectors = ["0 0", "0 1", "1 0", "1 1"];
    const possible = sectors.flatMap((before) => [4, 6].map((size) => `${before}, ${size} sectors`));
    expect([...outcomes].sort()).toEqual(possible);
  });

  test("makes its sectors certain, and a sync all of them; a sync that fails makes none", async () => {
    const { simulation, node, disk } = machine(1);
    await simulation.drive(async () => {
      const file = await disk.open("/file", "create");
      const certain = (): readonly boolean[] =>
        [0, 1, 2].map((sector) => node.disk.fileAt("/file").isDurable(sector * sectorBytes, (sector + 1) * sectorBytes));
      await file.write(0, [filled(3 * sectorBytes, 1)]);
      expect(certain()).toEqual([false, false, false]);
      await file.writeDurably(sectorBytes, [filled(1, 2)]);
      expect(certain()).toEqual([false, true, false]);
      await file.sync();
      expect(certain()).toEqual([true, true, true]);
      node.disk.inject({ operation: "sync", pathEnd: "file", code: "io" });
      await expect(file.writeDurably(0, [filled(1, 3)])).rejects.toMatchObject({ code: "io" });
      expect(certain()).toEqual([false, true, true]);
    });
  });

  test("that is on its way when the power goes leaves any sectors, each old or new", async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 600; seed++) {
      const { simulation, node, disk } = machine(seed);
      const file = await simulation.drive(async () => {
        const made = await disk.open("/file", "create");
        await made.writeDurably(0, [filled(3 * sectorBytes, 1)]);
        await disk.syncDirectory("/");
        return made;
      });
      void file.writeDurably(0, [filled(3 * sectorBytes, 2)]);
      node.losePower();
      const content = (await contentAfter(simulation, node, "/file")) ?? filled(0, 0);
      // The last byte of a sector: a write of which the beginning was done may end within it.
      outcomes.add([1, 2, 3].map((sector) => content[sector * sectorBytes - 1]).join(" "));
    }
    expect([...outcomes].sort()).toEqual(["1 1 1", "1 1 2", "1 2 1", "1 2 2", "2 1 1", "2 1 2", "2 2 1", "2 2 2"]);
  });

  test("suffers the faults of writes and of syncs, and is one operation that takes as long as a sync", async () => {
    const { simulation, node, disk } = machine(1, { transfer: { minMs: 1, meanMs: 0 }, sync: { minMs: 10, meanMs: 0 } });
    await simulation.drive(async () => {
      const file = await disk.open("/file", "create");
      node.disk.inject({ operation: "write", code: "no-space" });
      await expect(file.writeDurably(0, [filled(1, 1)])).rejects.toMatchObject({ code: "no-space", message: /^Cannot write \/file/ });
      node.disk.inject({ operation: "sync", pathEnd: "file", code: "io" });
      await expect(file.writeDurably(0, [filled(1, 1)])).rejects.toMatchObject({ code: "io", message: /^Cannot sync \/file/ });
      const startMs = simulation.nowMs;
      await file.writeDurably(0, [filled(1, 1)]);
      expect(simulation.nowMs - startMs).toBe(10);
    });
  });

  test("whose sync fails can be read, and no later sync brings it to the disk, but a later durable write of the same does", async () => {
    let lost = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { simulation, node, disk } = machine(seed);
      await simulation.drive(async () => {
        const file = await disk.open("/file", "create");
        await file.writeDurably(0, [filled(2 * sectorBytes, 1)]);
        await disk.syncDirectory("/");
        node.disk.inject({ operation: "sync", code: "io" });
        await expect(file.writeDurably(0, [filled(3 * sectorBytes, 2)])).rejects.toMatchObject({ code: "io" });
        await file.sync();
        expect(await file.read(0, 3 * sectorBytes)).toEqual(filled(3 * sectorBytes, 2));
        await file.writeDurably(sectorBytes, [filled(sectorBytes, 2)]);
      });
      node.losePower();
      const content = await contentAfter(simulation, node, "/file");
      // The sync that succeeded made the size durable, though not what is in it.
      expect([content?.length, content?.[sectorBytes]]).toEqual([3 * sectorBytes, 2]);
      expect([1, 2]).toContain(content?.[0]);
      if (content?.[0] === 1) lost++;
    }
    expect(lost).toBeGreaterThan(10);
    expect(lost).toBeLessThan(60);
  });
});

describe("Injected faults", () => {
  test("fail the operation they are for, as often as asked", async () => {
    const { simulation, node, disk } = machine(1);
    await simulation.drive(async () => {
      const file = await disk.open("/file", "create");
      node.disk.inject({ operation: "write", pathEnd: "file", code: "no-space", times: 2 });
      const forget = node.disk.inject({ operation: "sync", code: "io", times: 100 });
      await expect(file.write(0, [filled(1, 1)])).rejects.toMatchObject({ code: "no-space", path: "/file" });
      await expect(file.write(0, [filled(1, 1)])).rejects.toMatchObject({ code: "no-space" });
      await file.write(0, [filled(1, 1)]);
      await expect(file.sync()).rejects.toMatchObject({ code: "io" });
      forget();
      await file.sync();
    });
  });

  test("in a sync leave the bytes readable, and no later sync brings them to the disk", async () => {
    let lost = 0;
    for (let seed = 0; seed < 40; seed++) {
      const { simulation, node, disk } = machine(seed);
      await simulation.drive(async () => {
        const file = await disk.open("/file", "create");
        await disk.syncDirectory("/");
        await file.write(0, [filled(sectorBytes, 1)]);
        node.disk.inject({ operation: "sync", code: "io" });
        await expect(file.sync()).rejects.toMatchObject({ code: "io" });
        await file.sync();
        expect(await file.read(0, sectorBytes)).toEqual(filled(sectorBytes, 1));
      });
      node.losePower();
      const content = await contentAfter(simulation, node, "/file");
      if (content?.[0] !== 1) lost++;
    }
    expect(lost).toBeGreaterThan(5);
  });

  test("a full disk takes no more until something is removed", async () => {
    const { simulation, disk } = machine(1, { capacityBytes: 10_000 });
    await simulation.drive(async () => {
      const file = await disk.open("/file", "create");
      await file.write(0, [filled(9_000, 1)]);
      const other = await disk.open("/other", "create");
      await expect(other.write(0, [filled(1_001, 1)])).rejects.toMatchObject({ code: "no-space", path: "/other" });
      await file.write(500, [filled(100, 2)]);
      await disk.remove("/file");
      await other.write(0, [filled(1_001, 1)]);
    });
  });

  test("a stalled disk holds everything for as long", async () => {
    const { simulation, node, disk } = machine(1);
    node.disk.stall(5_000);
    await simulation.drive(() => disk.list("/"));
    expect(simulation.nowMs).toBe(5_000);
  });

  test("damage shows in reads and stays", async () => {
    const { simulation, node, disk } = machine(1);
    await simulation.drive(async () => {
      const file = await disk.open("/file", "create");
      await file.write(0, [filled(100, 1)]);
      node.disk.damage("/file", 50, Uint8Array.of(9));
      expect((await file.read(50, 1))[0]).toBe(9);
    });
    expect(node.disk.contentOf("/file")[50]).toBe(9);
  });
});
