/**
 * Moments for many leases to expire at, none earlier than asked and no more than so many in each second. A new leader gives every lease
 * its time anew, so leases that were kept alive at different moments would otherwise all run out in the same one (etcd spreads them in
 * the same way, to 750 a second).
 *
 *     asked   ▂▂█▂   ▂          a lease that finds its second full goes on
 *     given   ▂▂▄▄▂  ▂          to the next one that has room
 */
export class ExpirySpread {
  private readonly perSecondMax: number;
  /** By second: how many expire in it. */
  private readonly counts = new Map<number, number>();
  /** By full second: one after it before which all are full. */
  private readonly detours = new Map<number, number>();

  constructor(perSecondMax: number) {
    this.perSecondMax = perSecondMax;
  }

  /** The first moment from `atMs` on that has room; takes the room. */
  place(atMs: number): number {
    const asked = Math.floor(atMs / 1_000);
    const second = this.firstWithRoom(asked);
    const count = this.counts.get(second) ?? 0;
    this.counts.set(second, count + 1);
    if (count + 1 === this.perSecondMax) this.detours.set(second, second + 1);
    return second === asked ? atMs : second * 1_000 + (count * 1_000) / this.perSecondMax;
  }

  private firstWithRoom(from: number): number {
    let second = from;
    for (let next = this.detours.get(second); next !== undefined; next = this.detours.get(second)) second = next;
    // Whoever comes after goes straight there.
    for (let passed = from; passed !== second; ) {
      const next = this.detours.get(passed) ?? second;
      this.detours.set(passed, second);
      passed = next;
    }
    return second;
  }
}
