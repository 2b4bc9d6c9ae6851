/**
 * Sizes of arena cells. Up to 256 bytes every multiple of 8 is a size of its own, above that each doubling has 8 steps, so a cell
 * wastes less than 8 bytes or less than an eighth of itself.
 *
 *     class   0   1  ...   31 |  32   33  ...   39 |  40  ...    111
 *     bytes   8  16  ...  256 | 288  320  ...  512 | 576  ... 262144
 */

/** The largest size that shares a page with others. */
export const classedBytesMax = 256 * 1024;
export const sizeClassCount = 112;

const linearBytesMax = 256;
const linearClassCount = linearBytesMax / 8;
const stepsPerDoubling = 8;

/** The smallest class whose cells hold `sizeBytes`, which is from 1 to `classedBytesMax`. */
export function sizeClassOf(sizeBytes: number): number {
  if (sizeBytes <= linearBytesMax) return (sizeBytes - 1) >>> 3;
  const doubling = 31 - Math.clz32(sizeBytes - 1);
  const step = ((sizeBytes - 1) >>> (doubling - 3)) - stepsPerDoubling;
  return linearClassCount + (doubling - 8) * stepsPerDoubling + step;
}

/** Bytes of a cell of `sizeClass`, a multiple of 8. */
export function cellBytesOf(sizeClass: number): number {
  if (sizeClass < linearClassCount) return (sizeClass + 1) * 8;
  const doubling = 8 + Math.floor((sizeClass - linearClassCount) / stepsPerDoubling);
  const step = (sizeClass - linearClassCount) % stepsPerDoubling;
  return (stepsPerDoubling + step + 1) << (doubling - 3);
}
