import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Disk, DiskErrorCode, DiskFile } from "../ports.ts";

export interface DiskFixture {
  readonly disk: Disk;
  /** Path of an empty directory that is there. */
  readonly directory: string;
  /** Lets the disk work while `body` runs: a simulated one needs its simulation to be driven. */
  run(body: () => Promise<void>): Promise<void>;
  /** Called once, after the last test. */
  close(): Promise<void>;
}

function pattern(length: number, start = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, position) => (start + position * 7) % 251);
}

type FileAction =
  | { readonly kind: "write" | "writeDurably"; readonly offset: number; readonly lengths: readonly number[] }
  | { readonly kind: "truncate"; readonly sizeBytes: number };

const fileActions = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constantFrom("write" as const, "writeDurably" as const),
      offset: fc.nat(5_000),
      lengths: fc.array(fc.nat(700), { maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant("truncate" as const), sizeBytes: fc.nat(6_000) }),
  ),
  { minLength: 1, maxLength: 12 },
);

/** What every Disk promises, apart from crashes. */
export function describeDisk(name: string, makeFixture: () => Promise<DiskFixture>): void {
  describe(`Disk: ${name}`, () => {
    let fixture: DiskFixture;
    let namesTotal = 0;
    const freshName = (): string => `${fixture.directory}/name-${namesTotal++}`;
    /** A test whose body runs on the fixture. */
    const onDisk = (title: string, body: (disk: Disk) => Promise<void>): void => test(title, () => fixture.run(() => body(fixture.disk)));
    const fails = async (code: DiskErrorCode, path: string, call: Promise<unknown>): Promise<void> => {
      await expect(call).rejects.toMatchObject({ name: "DiskError", code, path });
      await expect(call).rejects.toThrow(path);
    };
    const withFile = async (body: (file: DiskFile, path: string) => Promise<void>): Promise<void> => {
      const path = freshName();
      const file = await fixture.disk.open(path, "create");
      await body(file, path);
      await file.close();
    };

    beforeAll(async () => {
      fixture = await makeFixture();
    });
    afterAll(() => fixture.close());

    onDisk("a new file is empty", () =>
      withFile(async (file) => expect([await file.sizeBytes(), await file.read(0, 10)]).toEqual([0, new Uint8Array(0)])),
    );

    for (const method of ["write", "writeDurably"] as const) {
      onDisk(`${method}: chunks are written one after another and read back wherever they are asked for`, () =>
        withFile(async (file) => {
          await file[method](3, [pattern(5), new Uint8Array(0), pattern(1_000, 2), pattern(1, 3)]);
          expect(await file.sizeBytes()).toBe(1_009);
          expect(await file.read(0, 8)).toEqual(Uint8Array.of(0, 0, 0, ...pattern(5)));
          expect(await file.read(8, 1_001)).toEqual(Uint8Array.of(...pattern(1_000, 2), ...pattern(1, 3)));
        }),
      );

      onDisk(`${method}: more chunks than one system call takes are written whole`, () =>
        withFile(async (file) => {
          const chunks = Array.from({ length: 2_500 }, (_, position) => pattern(3, position));
          await file[method](0, chunks);
          expect(await file.read(0, 8_000)).toEqual(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])));
        }),
      );

      onDisk(`${method}: no bytes change nothing`, () =>
        withFile(async (file) => {
          await file[method](0, [pattern(9)]);
          await file[method](3, []);
          await file[method](50, [new Uint8Array(0)]);
          expect(await file.read(0, 99)).toEqual(pattern(9));
        }),
      );
    }

    onDisk("a read is shorter only at the end of the file", () =>
      withFile(async (file) => {
        await file.write(0, [pattern(10)]);
        expect((await file.read(4, 6)).length).toBe(6);
        expect((await file.read(4, 7)).length).toBe(6);
        expect((await file.read(10, 1)).length).toBe(0);
        expect((await file.read(99, 1)).length).toBe(0);
      }),
    );

    onDisk("a read gives the same bytes with memory for them, whatever is in it and however long it is", () =>
      withFile(async (file) => {
        await file.write(0, [pattern(10)]);
        for (const length of [0, 3, 6, 20]) {
          const memory = new Uint8Array(length).fill(99);
          expect(await file.read(2, 6, memory)).toEqual(pattern(10).subarray(2, 8));
          expect(await file.read(7, 6, memory)).toEqual(pattern(10).subarray(7));
        }
      }),
    );

    onDisk("calls on one file may overlap", () =>
      withFile(async (file) => {
        const offsets = Array.from({ length: 50 }, (_, position) => position * 1_000);
        const methods = ["write", "writeDurably"] as const;
        const writes = offsets.map((offset, position) => file[methods[position % 2 === 0 ? 0 : 1]](offset, [pattern(1_000, offset)]));
        await Promise.all([...writes, file.sync()]);
        await Promise.all(offsets.map(async (offset) => expect(await file.read(offset, 1_000)).toEqual(pattern(1_000, offset))));
      }),
    );

    onDisk("a file that was made shorter and longer again ends in zeros", () =>
      withFile(async (file) => {
        await file.write(0, [pattern(2_000)]);
        await file.truncate(600);
        await file.truncate(1_500);
        expect(await file.sizeBytes()).toBe(1_500);
        expect(await file.read(0, 2_000)).toEqual(Uint8Array.of(...pattern(600), ...new Uint8Array(900)));
        await file.sync();
      }),
    );

    test("a file holds what a plain array of bytes would", async () => {
      await fc.assert(
        fc.asyncProperty(fileActions, (actions) =>
          fixture.run(() =>
            withFile(async (file) => {
              let twin = new Uint8Array(0);
              for (const action of actions) twin = await actOnBoth(file, twin, action);
              expect(await file.read(0, twin.length + 1)).toEqual(twin);
            }),
          ),
        ),
        { numRuns: 40 },
      );
    });

    onDisk("create wants a new name, read and write one that is there", async (disk) => {
      const path = freshName();
      await fails("not-found", path, disk.open(path, "read"));
      await fails("not-found", path, disk.open(path, "write"));
      await (await disk.open(path, "create")).close();
      await fails("exists", path, disk.open(path, "create"));
      await fails("not-found", `${path}-none/file`, disk.open(`${path}-none/file`, "create"));
    });

    onDisk("a file that was opened to read can't be changed, one that was opened to write can", async (disk) => {
      const path = freshName();
      const created = await disk.open(path, "create");
      await created.write(0, [pattern(10)]);
      await created.close();
      const reader = await disk.open(path, "read");
      await fails("io", path, reader.write(0, [pattern(1)]));
      await fails("io", path, reader.writeDurably(0, [pattern(1)]));
      const writer = await disk.open(path, "write");
      await writer.write(8, [pattern(4, 9)]);
      await writer.writeDurably(12, [pattern(2, 5)]);
      expect(await reader.read(0, 99)).toEqual(Uint8Array.of(...pattern(8), ...pattern(4, 9), ...pattern(2, 5)));
      await Promise.all([reader.close(), writer.close()]);
    });

    onDisk("a closed file refuses every call but another close", async (disk) => {
      const path = freshName();
      const file = await disk.open(path, "create");
      await file.writeDurably(0, [pattern(1)]);
      await file.close();
      await file.close();
      const writes = [file.write(0, [pattern(1)]), file.writeDurably(0, [pattern(1)]), file.truncate(0), file.sync()];
      for (const call of [file.sizeBytes(), file.read(0, 1), ...writes]) await fails("io", path, call);
    });

    onDisk("a directory is no file and a file is no directory", async (disk) => {
      const directory = freshName();
      const path = `${directory}/file`;
      await disk.makeDirectory(directory);
      await (await disk.open(path, "create")).close();
      await fails("io", directory, disk.open(directory, "read"));
      await expect(disk.list(path)).rejects.toMatchObject({ name: "DiskError", code: "not-a-directory" });
      await expect(disk.open(`${path}/below`, "create")).rejects.toMatchObject({ name: "DiskError", code: "not-a-directory" });
    });

    onDisk("names are listed in order", async (disk) => {
      const directory = freshName();
      await disk.makeDirectory(directory);
      for (const name of ["b", "a", "Z", "10", "9"]) await (await disk.open(`${directory}/${name}`, "create")).close();
      await disk.makeDirectory(`${directory}/c`);
      expect(await disk.list(directory)).toEqual(["10", "9", "Z", "a", "b", "c"]);
      await fails("not-found", `${directory}/none`, disk.list(`${directory}/none`));
    });

    onDisk("a directory is made once, and only where its parent is", async (disk) => {
      const directory = freshName();
      await disk.makeDirectory(directory);
      await fails("exists", directory, disk.makeDirectory(directory));
      await fails("not-found", `${directory}/none/below`, disk.makeDirectory(`${directory}/none/below`));
      await disk.syncDirectory(directory);
      await fails("not-found", `${directory}/none`, disk.syncDirectory(`${directory}/none`));
    });

    onDisk("rename replaces what was there, also in another directory", async (disk) => {
      const directory = freshName();
      await disk.makeDirectory(directory);
      const [from, to] = [freshName(), `${directory}/to`];
      for (const [path, start] of [[to, 1] as const, [from, 2] as const]) {
        const file = await disk.open(path, "create");
        await file.write(0, [pattern(100, start)]);
        await file.close();
      }
      await disk.rename(from, `${from}-next`);
      await disk.rename(`${from}-next`, to);
      const file = await disk.open(to, "read");
      expect(await file.read(0, 200)).toEqual(pattern(100, 2));
      await file.close();
      expect(await disk.list(directory)).toEqual(["to"]);
      await fails("not-found", from, disk.rename(from, to));
    });

    onDisk("an open file outlives its name", () =>
      withFile(async (file, path) => {
        await file.write(0, [pattern(20)]);
        await fixture.disk.remove(path);
        await fails("not-found", path, fixture.disk.open(path, "read"));
        await fails("not-found", path, fixture.disk.remove(path));
        await file.write(20, [pattern(5)]);
        await file.writeDurably(25, [pattern(5)]);
        expect((await file.read(0, 99)).length).toBe(30);
      }),
    );

    onDisk("a durable write goes to the file that was opened, whatever is under its name by now", async (disk) => {
      const path = freshName();
      const file = await disk.open(path, "create");
      await disk.rename(path, `${path}-moved`);
      const other = await disk.open(path, "create");
      await file.writeDurably(0, [pattern(3)]);
      await Promise.all([file.close(), other.close()]);
      const [moved, fresh] = await Promise.all([disk.open(`${path}-moved`, "read"), disk.open(path, "read")]);
      expect([await moved.read(0, 9), await fresh.sizeBytes()]).toEqual([pattern(3), 0]);
      await Promise.all([moved.close(), fresh.close()]);
    });

    onDisk("a directory has one lock, which leaves no name behind", async (disk) => {
      const [one, other] = [freshName(), freshName()];
      await disk.makeDirectory(one);
      await disk.makeDirectory(other);
      const lock = await disk.lock(one);
      await fails("locked", one, disk.lock(one));
      await fails("locked", one, disk.lock(one));
      const otherLock = await disk.lock(other);
      expect(await disk.list(one)).toEqual([]);
      await lock.release();
      await (await disk.lock(one)).release();
      await otherLock.release();
      await fails("not-found", `${one}/none`, disk.lock(`${one}/none`));
    });
  });
}

async function actOnBoth(file: DiskFile, twin: Uint8Array<ArrayBuffer>, action: FileAction): Promise<Uint8Array<ArrayBuffer>> {
  if (action.kind === "truncate") {
    await file.truncate(action.sizeBytes);
    const changed = new Uint8Array(action.sizeBytes);
    changed.set(twin.subarray(0, action.sizeBytes));
    return changed;
  }
  const chunks = action.lengths.map((length, position) => pattern(length, action.offset + position));
  await file[action.kind](action.offset, chunks);
  const bytes = chunks.flatMap((chunk) => [...chunk]);
  if (bytes.length === 0) return twin;
  const changed = new Uint8Array(Math.max(twin.length, action.offset + bytes.length));
  changed.set(twin);
  changed.set(bytes, action.offset);
  return changed;
}
