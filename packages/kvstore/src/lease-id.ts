/** The high 32 bits of a 64-bit lease id as a signed number. Lease ids are 64-bit integers, 0n is none. */
export function highHalf(lease: bigint): number {
  return lease === 0n ? 0 : Number(BigInt.asIntN(32, lease >> 32n));
}

/** The low 32 bits as a signed number. */
export function lowHalf(lease: bigint): number {
  return lease === 0n ? 0 : Number(BigInt.asIntN(32, lease));
}

/** The id of two halves. No bigint is allocated for none. */
export function joinHalves(high: number, low: number): bigint {
  if (high === 0 && low === 0) return 0n;
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}
