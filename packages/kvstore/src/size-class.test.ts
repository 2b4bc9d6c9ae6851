import { describe, expect, test } from "vitest";
import { cellBytesOf, classedBytesMax, sizeClassCount, sizeClassOf } from "./size-class.ts";

describe("size classes", () => {
  test("grow from 8 bytes to 256 KiB in multiples of 8", () => {
    const sizes = Array.from({ length: sizeClassCount }, (_, sizeClass) => cellBytesOf(sizeClass));
    expect(sizes[0]).toBe(8);
    expect(sizes.at(-1)).toBe(classedBytesMax);
    expect(sizes.every((size, i) => size % 8 === 0 && (i === 0 || size > (sizes[i - 1] ?? 0)))).toBe(true);
  });

  test("every size gets the smallest class that holds it, and wastes less than 8 bytes or an eighth", () => {
    const misfits: string[] = [];
    for (let size = 1; size <= classedBytesMax; size++) {
      const sizeClass = sizeClassOf(size);
      const cellBytes = cellBytesOf(sizeClass);
      const below = sizeClass === 0 ? 0 : cellBytesOf(sizeClass - 1);
      const fits = size <= cellBytes && size > below && cellBytes - size < Math.max(8, cellBytes / 8);
      if (!fits) misfits.push(`${size} bytes got a cell of ${cellBytes}, the next smaller has ${below}`);
    }
    expect(misfits).toEqual([]);
  });
});
