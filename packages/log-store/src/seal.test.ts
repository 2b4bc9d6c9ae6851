import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FRAMES_OFFSET, PAGE_BYTES, SECTOR_BYTES } from "./format.ts";
import { encodeSeal, type FramePosition, readSeal, SEAL_BYTES, type SealFields } from "./seal.ts";

const fields: SealFields = { durableSeq: 40, commitIndex: 17, wallMs: 1_700_000_000_000 };
const before: FramePosition = { seq: 40, crc: 0x1234_5678, index: 19, term: 3 };
const place = { offset: FRAMES_OFFSET + PAGE_BYTES, saltCrc: 0xdead_beef };

function sealedFile(): Uint8Array {
  const file = new Uint8Array(place.offset + SEAL_BYTES + PAGE_BYTES);
  file.set(encodeSeal(fields, before, place).pages, place.offset);
  return file;
}

describe("a seal", () => {
  test("is two pages that say the same", () => {
    const { pages, crcs } = encodeSeal(fields, before, place);
    expect(pages.length).toBe(2 * PAGE_BYTES);
    expect(readSeal(sealedFile(), before, place)).toEqual({ fields, lastSeq: 42, lastCrc: crcs[1] });
  });

  test("reads the same after any change within one of its pages", () => {
    const file = sealedFile();
    const sound = readSeal(file, before, place);
    const spoilt = fc.record({
      page: fc.constantFrom(0, 1),
      offset: fc.oneof(fc.nat(PAGE_BYTES - 1), fc.nat(111)),
      bytes: fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.constantFrom(new Uint8Array(SECTOR_BYTES), new Uint8Array(PAGE_BYTES), new Uint8Array(PAGE_BYTES).fill(255)),
      ),
    });
    fc.assert(
      fc.property(spoilt, ({ page, offset, bytes }) => {
        const changed = file.slice();
        changed.set(bytes.subarray(0, PAGE_BYTES - offset), place.offset + page * PAGE_BYTES + offset);
        expect(readSeal(changed, before, place)).toEqual(sound);
      }),
      { numRuns: 2_000 },
    );
  });

  test("is not there if both pages are spoilt", () => {
    const file = sealedFile();
    for (const copy of [0, 1]) file[place.offset + copy * PAGE_BYTES + 20] = 0xff;
    expect(readSeal(file, before, place)).toBeNull();
    expect(readSeal(new Uint8Array(file.length), before, place)).toBeNull();
  });

  test.each([{ seq: 39 }, { crc: 1 }, { index: 18 }, { term: 2 }])(
    "does not follow another frame than the one it was made for",
    (other) => {
      const file = sealedFile();
      for (const lost of [null, 0, 1]) {
        const changed = file.slice();
        if (lost !== null) changed.fill(0, place.offset + lost * PAGE_BYTES, place.offset + (lost + 1) * PAGE_BYTES);
        expect(readSeal(changed, { ...before, ...other }, place)).toBeNull();
      }
    },
  );

  test("does not read in another place or another segment", () => {
    const file = sealedFile();
    expect(readSeal(file, before, { ...place, offset: place.offset - PAGE_BYTES })).toBeNull();
    expect(readSeal(file, before, { ...place, offset: place.offset + PAGE_BYTES })).toBeNull();
    expect(readSeal(file, before, { ...place, saltCrc: 1 })).toBeNull();
    expect(readSeal(file.subarray(0, place.offset + 100), before, place)).toBeNull();
  });

  test("of which one page is lost at the end of the file reads all the same", () => {
    const file = sealedFile().subarray(0, place.offset + PAGE_BYTES);
    expect(readSeal(file, before, place)?.lastSeq).toBe(42);
  });
});
