/** What the quota needs of the store. */
export interface MeasuredStore {
  readonly usedBytes: number;
}

export interface SpaceQuotaOptions {
  readonly store: MeasuredStore;
  /** Bytes that the store of this member may take; Infinity for no limit. */
  readonly limitBytes: number;
  /** A request was refused. */
  readonly onExceeded: () => void;
}

/** Share of the limit below which there is room again: between the two nothing changes. */
const roomyShare = 0.9;

/**
 * Keeps the store of this member from growing beyond its limit: each member asks before it lets a client's request into the log. What is
 * in the log is applied, so that members with different limits don't differ.
 */
export class SpaceQuota {
  readonly limitBytes: number;
  private readonly store: MeasuredStore;
  private readonly onExceeded: () => void;

  constructor({ store, limitBytes, onExceeded }: SpaceQuotaOptions) {
    this.store = store;
    this.limitBytes = limitBytes;
    this.onExceeded = onExceeded;
  }

  /** Whether a request that adds about `costBytes` may be proposed. One that adds nothing always may. */
  admits(costBytes: number): boolean {
    if (costBytes === 0 || this.store.usedBytes + costBytes < this.limitBytes) return true;
    this.onExceeded();
    return false;
  }

  /** True if the store is well below its limit. */
  get isRoomy(): boolean {
    return this.store.usedBytes < roomyShare * this.limitBytes;
  }
}
