import {
  type Compare,
  type DeleteRangeRequest,
  etcdserverpb,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type TxnRequest,
} from "@raftkv/api";
import { SeededRandom } from "@raftkv/simulator";
import { type OtherRequest, randomOtherRequest } from "./random-other-requests.ts";
import { randomWatchStep, type WatchStep } from "./random-watch-steps.ts";

/** A request of any service. */
export type AnyRequest =
  | OtherRequest
  | WatchStep
  | { readonly method: "range"; readonly request: RangeRequest }
  | { readonly method: "put"; readonly request: PutRequest }
  | { readonly method: "deleteRange"; readonly request: DeleteRangeRequest }
  | { readonly method: "txn"; readonly request: TxnRequest }
  | { readonly method: "compact"; readonly revision: number; readonly physical: boolean }
  | { readonly method: "grant"; readonly id: bigint; readonly ttl: bigint }
  | { readonly method: "revoke"; readonly id: bigint }
  | { readonly method: "timeToLive"; readonly id: bigint }
  | { readonly method: "leases" }
  | { readonly method: "hashKV"; readonly revision: number }
  /** Of the kind NONE, which does nothing but to be there: any other would refuse most of what follows. Without a member etcd ends. */
  | { readonly method: "alarm"; readonly action: etcdserverpb.AlarmRequest_AlarmAction; readonly memberId: bigint };

/** All but those on the stream of watches. */
export type UnaryRequest = Exclude<AnyRequest, WatchStep>;

/** What the requests before have come to. */
export interface StoreView {
  /** About where the stores are. */
  readonly revision: number;
  /** The revisions at which the seats of elections were taken, by their names. */
  readonly seatRevisions: ReadonlyMap<string, bigint>;
}

const { GET, ACTIVATE, DEACTIVATE } = etcdserverpb.AlarmRequest_AlarmAction;
const noBytes = new Uint8Array(0);
const keyCount = 12;
const leaseCount = 5n;
/** Long enough that none ends while the test runs: what is left is rounded, and the servers are not asked in the same moment. */
const ttl = 100_000n;

/** Requests at random, most of which make sense, and all others now and then. The same seed gives the same ones. */
export class RandomRequests {
  private readonly random: SeededRandom;

  constructor(seed: string) {
    this.random = new SeededRandom(seed);
  }

  next({ revision, seatRevisions }: StoreView): AnyRequest {
    const draw = this.below(1_000);
    if (draw < 240) return { method: "range", request: this.range(revision) };
    if (draw < 460) return { method: "put", request: this.put() };
    if (draw < 515) return { method: "deleteRange", request: this.deletion() };
    if (draw < 830) return { method: "txn", request: this.anyTxn(revision) };
    if (draw < 842) return { method: "compact", revision: this.revision(revision), physical: this.chance(2) };
    if (draw < 875) return { method: "grant", id: this.lease() || 9n, ttl };
    if (draw < 893) return { method: "revoke", id: this.lease() };
    if (draw < 910) return { method: "timeToLive", id: this.lease() };
    if (draw < 915) return { method: "leases" };
    if (draw < 925) return { method: "hashKV", revision: this.revision(revision) };
    if (draw < 935) return { method: "alarm", action: this.random.pick([GET, ACTIVATE, DEACTIVATE]), memberId: BigInt(1 + this.below(3)) };
    if (draw < 955) return randomWatchStep(this.random, { key: this.key(), rangeEnd: this.rangeEnd(), revision: this.revision(revision) });
    return randomOtherRequest(this.random, seatRevisions);
  }

  private below(limit: number): number {
    return this.random.below(limit);
  }

  /** Once in `count` times. */
  private chance(count: number): boolean {
    return this.random.oneIn(count);
  }

  private key(): Uint8Array {
    return this.chance(100) ? noBytes : Buffer.from(`k${this.below(keyCount)}`);
  }

  private rangeEnd(): Uint8Array {
    switch (this.below(6)) {
      case 0:
        return Uint8Array.of(0);
      case 1:
        return Buffer.from("l");
      case 2:
        return Buffer.from(`k${this.below(keyCount)}`);
      default:
        return noBytes;
    }
  }

  private lease(): bigint {
    return BigInt(this.below(Number(leaseCount) + 1));
  }

  /** Now, one of the last, one of the first, or one to come. */
  private revision(current: number): number {
    switch (this.below(8)) {
      case 0:
        return this.below(current + 2);
      case 1:
        return current + this.below(3);
      case 2:
      case 3:
        return Math.max(1, current - this.below(20));
      default:
        return 0;
    }
  }

  private range(current: number): RangeRequest {
    // Records that are equal in the target come in any order, so what a limit leaves of them is open.
    const sortTarget = this.chance(3) ? this.below(5) : 0;
    const bound = (): number => (this.chance(8) ? this.below(current + 2) : 0);
    return {
      key: this.key(),
      rangeEnd: this.rangeEnd(),
      limit: sortTarget === 0 && this.chance(3) ? this.below(5) : 0,
      revision: this.revision(current),
      sortOrder: this.chance(3) ? this.below(3) : 0,
      sortTarget,
      serializable: this.chance(3),
      keysOnly: this.chance(6),
      countOnly: this.chance(8),
      minModRevision: bound(),
      maxModRevision: bound(),
      minCreateRevision: bound(),
      maxCreateRevision: bound(),
    };
  }

  private put(): PutRequest {
    const ignoreValue = this.chance(12);
    const ignoreLease = this.chance(12);
    return {
      key: this.key(),
      value: ignoreValue && !this.chance(10) ? noBytes : Buffer.from(`v${this.below(50)}`),
      lease: ignoreLease && !this.chance(10) ? 0n : this.chance(3) ? this.lease() : 0n,
      prevKv: this.chance(3),
      ignoreValue,
      ignoreLease,
    };
  }

  private deletion(): DeleteRangeRequest {
    return { key: this.key(), rangeEnd: this.rangeEnd(), prevKv: this.chance(2) };
  }

  /**
   * etcd 3.4 ends with a panic when a put keeps the value or lease of a key that an open-ended delete in front of it took away, so a
   * transaction has the one or the other.
   */
  private anyTxn(current: number): TxnRequest {
    const txn = this.txn(current, 2);
    return this.chance(2) ? mapOperations(txn, closed) : mapOperations(txn, keepingNothing);
  }

  private txn(current: number, depth: number): TxnRequest {
    const list = <Item>(make: () => Item, max: number): Item[] => Array.from({ length: this.below(max + 1) }, make);
    const operations = (): RequestOp[] => list(() => this.operation(current, depth), 3);
    return { compare: list(() => this.compare(current), 2), success: operations(), failure: operations() };
  }

  private operation(current: number, depth: number): RequestOp {
    const draw = this.below(100);
    if (draw < 40) return { type: "put", request: this.put() };
    if (draw < 70) return { type: "range", request: { ...this.range(current), revision: this.chance(4) ? this.revision(current) : 0 } };
    if (draw < 84) return { type: "deleteRange", request: this.deletion() };
    if (draw < 99 && depth > 0) return { type: "txn", request: this.txn(current, depth - 1) };
    return { type: "none" };
  }

  private compare(current: number): Compare {
    const base = { key: this.key(), rangeEnd: this.rangeEnd(), result: this.below(4) };
    switch (this.below(5)) {
      case 0:
        return { ...base, target: "version", operand: this.below(4) };
      case 1:
        return { ...base, target: "create", operand: this.revision(current) };
      case 2:
        return { ...base, target: "mod", operand: this.revision(current) };
      case 3:
        return { ...base, target: "value", operand: Buffer.from(`v${this.below(50)}`) };
      default:
        return { ...base, target: "lease", operand: this.lease() };
    }
  }
}

function mapOperations({ compare, success, failure }: TxnRequest, change: (operation: RequestOp) => RequestOp): TxnRequest {
  const changed = (operation: RequestOp): RequestOp =>
    operation.type === "txn" ? { type: "txn", request: mapOperations(operation.request, change) } : change(operation);
  return { compare, success: success.map(changed), failure: failure.map(changed) };
}

function closed(operation: RequestOp): RequestOp {
  if (operation.type !== "deleteRange" || operation.request.rangeEnd[0] !== 0) return operation;
  return { type: "deleteRange", request: { ...operation.request, rangeEnd: Buffer.from("k5") } };
}

function keepingNothing(operation: RequestOp): RequestOp {
  if (operation.type !== "put") return operation;
  return { type: "put", request: { ...operation.request, ignoreValue: false, ignoreLease: false } };
}
