/** Negative, zero or positive as `a` is less than, equal to or greater than `b`, compared as unsigned bytes, a prefix first. */
export function orderOfBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
