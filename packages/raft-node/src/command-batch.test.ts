import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BatchWriter, batchCommandsMax, commandsOf, soleCommand, withoutFirst } from "./command-batch.ts";

function writer(seed = 1): BatchWriter {
  return new BatchWriter({ below: (limit) => limit - 1, bytes: (count) => new Uint8Array(count).fill(seed) });
}

/** Writes them as a member does: into one batch while there is room, then into the next. */
function written(batches: BatchWriter, commands: readonly Uint8Array[], firstSequence = 0): readonly Uint8Array[] {
  const done: Uint8Array[] = [];
  for (const [at, command] of commands.entries()) {
    if (at > 0 && !batches.hasRoomFor(command.length)) done.push(batches.close());
    batches.add((firstSequence + at) >>> 0, command);
  }
  if (commands.length > 0) done.push(batches.close());
  return done;
}

function contentOf(batch: Uint8Array): readonly Uint8Array[] {
  return Array.from(commandsOf(batch), (command) => command.slice());
}

const bytes = fc.uint8Array({ maxLength: 100 });
const sequence = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe("a batch", () => {
  test("gives back what was written, also when later ones were written behind it", () => {
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 20 }), fc.array(bytes, { maxLength: 20 }), sequence, (some, others, first) => {
        const batches = writer();
        const early = written(batches, some, first);
        written(batches, others, first);
        expect(early.flatMap(contentOf)).toEqual(some);
        expect(batches.ownSequence(early[0] ?? new Uint8Array(0))).toBe(first);
      }),
    );
  });

  test("has so many commands at most, and a command that is large lies by itself", () => {
    const small = Array.from({ length: 2 * batchCommandsMax + 1 }, (_, at) => Uint8Array.of(at));
    expect(written(writer(), small).map((batch) => contentOf(batch).length)).toEqual([batchCommandsMax, batchCommandsMax, 1]);
    const large = new Uint8Array(1024 * 1024).fill(3);
    const batches = writer();
    const mixed = written(batches, [Uint8Array.of(1), large, Uint8Array.of(2), Uint8Array.of(4)]);
    expect(mixed.map((batch) => contentOf(batch).length)).toEqual([1, 1, 2]);
    expect(mixed.map((batch) => batch.buffer === mixed[0]?.buffer)).toEqual([true, false, true]);
    expect(mixed.flatMap(contentOf)).toEqual([Uint8Array.of(1), large, Uint8Array.of(2), Uint8Array.of(4)]);
  });

  test("loses its first commands, and those behind them keep their sequences", () => {
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 20 }), sequence, fc.nat(), (all, first, some) => {
        const batches = writer();
        const [batch = new Uint8Array(0)] = written(batches, all, first);
        const count = some % all.length;
        const rest = withoutFirst(batch, count);
        expect(contentOf(rest)).toEqual(all.slice(count));
        expect(batches.ownSequence(rest)).toBe((first + count) >>> 0);
        expect(batches.ownSequence(batch)).toBe(first);
      }),
    );
  });

  test("of somebody else is not taken for an own one", () => {
    const [batch = new Uint8Array(0)] = written(writer(2), [Uint8Array.of(1)]);
    expect(writer(1).ownSequence(batch)).toBe(-1);
    expect(writer(1).ownSequence(new Uint8Array(0))).toBe(-1);
  });

  test("of one command is read at once", () => {
    const [batch = new Uint8Array(0)] = written(writer(), [Uint8Array.of(1, 2, 3)]);
    expect(soleCommand(batch)).toEqual(Uint8Array.of(1, 2, 3));
  });

  test("of any bytes at all is read to its end", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(contentOf(bytes).length).toBeLessThanOrEqual(bytes.length / 4);
      }),
    );
  });
});
