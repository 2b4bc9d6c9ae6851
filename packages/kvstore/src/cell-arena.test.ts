import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CellArena, type CellRef, granuleMask, pageShift } from "./cell-arena.ts";

function write(arena: CellArena, ref: CellRef, length: number, byte: number): void {
  const offset = (ref & granuleMask) << 3;
  arena.bytes[ref >>> pageShift]?.fill(byte, offset, offset + length);
}

function isFilled(arena: CellArena, ref: CellRef, length: number, byte: number): boolean {
  const offset = (ref & granuleMask) << 3;
  const bytes = arena.bytes[ref >>> pageShift]?.subarray(offset, offset + length);
  return bytes?.length === length && bytes.every((each) => each === byte);
}

describe("CellArena", () => {
  test("cells never overlap, whatever is allocated and freed", () => {
    const sizes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 300, max: 300_000 }), fc.constant(1_200_000));
    const step = fc.record({ size: sizes, free: fc.boolean(), pick: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const arena = new CellArena();
        const live: { ref: CellRef; size: number; byte: number }[] = [];
        steps.forEach(({ size, free, pick }, i) => {
          if (free && live.length > 0) {
            const [cell] = live.splice(pick % live.length, 1);
            if (cell !== undefined) arena.free(cell.ref);
          } else {
            const cell = { ref: arena.allocate(size), size, byte: i & 255 };
            write(arena, cell.ref, size, cell.byte);
            live.push(cell);
          }
        });
        expect(live.every(({ ref }) => ref !== 0)).toBe(true);
        for (const { ref, size, byte } of live) expect(isFilled(arena, ref, size, byte)).toBe(true);
        expect(arena.liveCells).toBe(live.length);
        arena.verify();
        for (const { ref } of live) arena.free(ref);
        arena.verify();
        expect(arena.liveBytes).toBe(0);
      }),
    );
  });

  test("a freed cell is used again before new memory is", () => {
    const arena = new CellArena();
    const refs = Array.from({ length: 1000 }, () => arena.allocate(100));
    const { reservedBytes } = arena;
    for (const ref of refs) arena.free(ref);
    const again = Array.from({ length: 1000 }, () => arena.allocate(100));
    expect(new Set(again)).toEqual(new Set(refs));
    expect(arena.reservedBytes).toBe(reservedBytes);
  });

  test("a hole in a full page is filled before new memory is taken", () => {
    const arena = new CellArena();
    const cellsPerPage = (1024 * 1024) / 128;
    const refs = Array.from({ length: 3 * cellsPerPage }, () => arena.allocate(128));
    arena.verify();
    const { reservedBytes } = arena;
    const holes = [5, cellsPerPage + 5, 2 * cellsPerPage + 5].map((at) => refs[at] ?? 0);
    for (const ref of holes) {
      arena.free(ref);
      arena.verify();
    }
    expect(new Set(holes.map(() => arena.allocate(128)))).toEqual(new Set(holes));
    expect(arena.reservedBytes).toBe(reservedBytes);
    arena.verify();
  });

  test("a page whose cells are all free serves other sizes", () => {
    const arena = new CellArena();
    const small = Array.from({ length: 20_000 }, () => arena.allocate(64));
    const { reservedBytes } = arena;
    for (const ref of small) arena.free(ref);
    for (let i = 0; i < 100; i++) arena.allocate(10_000);
    expect(arena.reservedBytes).toBe(reservedBytes);
  });

  test("memory beyond a few spare pages goes back", () => {
    const arena = new CellArena();
    const refs = Array.from({ length: 50_000 }, () => arena.allocate(256));
    const full = arena.reservedBytes;
    for (const ref of refs) arena.free(ref);
    expect(full).toBeGreaterThan(12_000_000);
    expect(arena.reservedBytes).toBe(4 * 1024 * 1024);
  });

  test("a large cell has its own memory, which goes back at once", () => {
    const arena = new CellArena();
    const ref = arena.allocate(1_000_000);
    expect(arena.reservedBytes).toBe(1_003_520);
    arena.free(ref);
    expect(arena.reservedBytes).toBe(0);
  });

  test("freeing twice, or what was never allocated, stops", () => {
    const arena = new CellArena();
    const ref = arena.allocate(1_000_000);
    arena.free(ref);
    expect(() => arena.free(ref)).toThrow("A cell reference names a page with cells in use");
    expect(() => arena.free(0)).toThrow("A cell reference names a page with cells in use");
    const cell = arena.allocate(48);
    expect(() => arena.free(cell + 1)).toThrow("A cell is freed by the reference it was allocated as");
  });

  test("a write to a freed cell stops the next allocation", () => {
    const arena = new CellArena();
    arena.allocate(32);
    const ref = arena.allocate(32);
    arena.free(ref);
    write(arena, ref, 32, 1);
    expect(() => arena.verify()).toThrow("A free cell is not written");
    expect(() => arena.allocate(32)).toThrow("A free cell is not written");
  });
});
