import type { RangeQuery, SortOrder, SortTarget } from "../range-query.ts";
import type { Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from "../txn/txn-request.ts";
import { bytesOf } from "./bytes-as-text.ts";
import type { NaiveStore } from "./naive-store.ts";
import type { SeededChoice } from "./seeded-choice.ts";

const sortOrders: readonly SortOrder[] = ["none", "ascend", "descend"];
const sortTargets: readonly SortTarget[] = ["key", "version", "create", "mod", "value"];
/** Where the order of bytes and of prefixes is most likely to be wrong. */
const keyCharacters = ["\0", "\u0001", "a", "\u00ff"];
const laterCharacters = ["\0", "a", "\u00ff"];
const longPrefix = "/registry/pods/namespace-of-many/".repeat(2);
/** Ids around the ends of what 64 signed bits can be. */
export const leaseIds: readonly bigint[] = [1n, 2n, -1n, 2n ** 32n, -(2n ** 32n), 2n ** 63n - 1n, -(2n ** 63n), 0x1234_5678_9abc_def0n];

/** Makes requests that are likely to meet: few keys, revisions near those that can be read, leases that are there or were. */
export class RequestGenerator {
  readonly #choice: SeededChoice;
  readonly #model: NaiveStore;
  #mayBreakRules = false;

  constructor(choice: SeededChoice, model: NaiveStore) {
    this.#choice = choice;
    this.#model = model;
  }

  key(): Uint8Array {
    return bytesOf(this.#keyText());
  }

  /** Empty, open, the end of a prefix, or anything. */
  rangeEnd(key: Uint8Array): Uint8Array {
    switch (this.#choice.byWeight({ single: 3, open: 1, prefix: 3, any: 2 })) {
      case "single":
        return bytesOf("");
      case "open":
        return bytesOf("\0");
      case "prefix":
        return Uint8Array.from([...key, 0xff]);
      default:
        return bytesOf(this.#keyText());
    }
  }

  value(): Uint8Array {
    const length = this.#choice.onceIn(400) ? 20_000 + this.#choice.below(60_000) : this.#choice.below(this.#choice.onceIn(10) ? 400 : 5);
    return new Uint8Array(length).fill(97 + this.#choice.below(3));
  }

  /** A lease that is there, more often than not. */
  lease(): bigint {
    return this.#choice.onceIn(8) ? this.#choice.of(leaseIds) : (this.#grantedLease() ?? 0n);
  }

  /** 0n, or a lease that is there. */
  leaseForPut(): bigint {
    return this.#choice.onceIn(2) ? (this.#grantedLease() ?? 0n) : 0n;
  }

  /** 0, or a revision that is most often one that can be read. */
  revision(): number {
    const { revision, compactRevision } = this.#model;
    const first = Math.max(compactRevision, 1);
    switch (this.#choice.below(8)) {
      case 0:
        return this.#choice.of([-1, -2, first - 1, first, revision, revision + 1, revision + 2]);
      case 1:
      case 2:
      case 3:
        return first + this.#choice.below(revision - first + 1);
      default:
        return 0;
    }
  }

  query(): RangeQuery {
    const { limit, keysOnly, countOnly, minModRevision, maxModRevision, minCreateRevision, maxCreateRevision, ...rest } =
      this.rangeRequest();
    const bounds = { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision };
    const sortOrder = sortOrders[rest.sortOrder] ?? "none";
    const sortTarget = sortTargets[rest.sortTarget] ?? "key";
    return { revision: this.revision(), limit, keysOnly, countOnly, ...bounds, sortOrder, sortTarget };
  }

  putRequest(): PutRequest {
    const choice = this.#choice;
    const ignoreValue = choice.onceIn(8);
    const ignoreLease = choice.onceIn(8);
    const lease = choice.onceIn(20) ? this.lease() : this.leaseForPut();
    return {
      key: this.#lawfulKey(),
      value: ignoreValue && !this.#breaksRule() ? bytesOf("") : this.value(),
      lease: ignoreLease && !this.#breaksRule() ? 0n : lease,
      prevKv: choice.onceIn(2),
      ignoreValue,
      ignoreLease,
    };
  }

  /** Seldom of many keys, so that stores don't stay empty. */
  deleteRangeRequest(): DeleteRangeRequest {
    const key = this.#lawfulKey();
    return { key, rangeEnd: this.#choice.onceIn(4) ? this.rangeEnd(key) : bytesOf(""), prevKv: this.#choice.onceIn(2) };
  }

  rangeRequest(): RangeRequest {
    const choice = this.#choice;
    const key = this.#lawfulKey();
    return {
      key,
      rangeEnd: this.rangeEnd(key),
      limit: choice.onceIn(2) ? choice.below(6) - 1 : 0,
      revision: this.revision(),
      sortOrder: this.#breaksRule() ? choice.of([-1, 3]) : choice.below(3),
      sortTarget: this.#breaksRule() ? choice.of([-1, 5]) : choice.below(5),
      serializable: choice.onceIn(2),
      keysOnly: choice.onceIn(4),
      countOnly: choice.onceIn(8),
      minModRevision: this.#bound(),
      maxModRevision: this.#bound(),
      minCreateRevision: this.#bound(),
      maxCreateRevision: this.#bound(),
    };
  }

  /** Nested up to `depthMax` deep, and now and then against the rules. */
  txnRequest(depthMax: number): TxnRequest {
    this.#mayBreakRules ||= this.#choice.onceIn(5);
    const operation = (): RequestOp => this.#operation(depthMax);
    return {
      compare: this.#choice.list(2, () => this.#compare()),
      success: this.#choice.list(4, operation),
      failure: this.#choice.list(4, operation),
    };
  }

  #operation(depthMax: number): RequestOp {
    if (this.#breaksRule()) return { type: "none" };
    const type = this.#choice.byWeight({ put: 50, deleteRange: 12, range: 25, txn: depthMax > 0 ? 20 : 0 });
    switch (type) {
      case "put":
        return { type, request: this.putRequest() };
      case "deleteRange":
        return { type, request: this.deleteRangeRequest() };
      case "range":
        return { type, request: this.rangeRequest() };
      case "txn":
        return { type, request: this.txnRequest(depthMax - 1) };
      default:
        return type satisfies never;
    }
  }

  #compare(): Compare {
    const choice = this.#choice;
    const { revision } = this.#model;
    const key = this.#lawfulKey();
    const base = {
      key,
      rangeEnd: choice.onceIn(4) ? this.rangeEnd(key) : bytesOf(""),
      result: choice.onceIn(40) ? choice.of([-1, 4]) : choice.below(4),
    };
    const target = choice.of(["version", "create", "mod", "value", "lease", "unknown"] as const);
    switch (target) {
      case "version":
        return { ...base, target, operand: choice.below(4) - 1 };
      case "create":
      case "mod":
        return { ...base, target, operand: revision - choice.below(12) };
      case "value":
        return { ...base, target, operand: this.value() };
      case "lease":
        return { ...base, target, operand: this.lease() };
      case "unknown":
        return { ...base, target };
      default:
        return target satisfies never;
    }
  }

  #keyText(): string {
    const choice = this.#choice;
    const prefix = choice.onceIn(3) ? longPrefix : "";
    const length = choice.below(2) + choice.below(2);
    return `${prefix}${choice.of(keyCharacters)}${Array.from({ length }, () => choice.of(laterCharacters)).join("")}`;
  }

  /** Empty if a rule is broken. */
  #lawfulKey(): Uint8Array {
    return this.#breaksRule() ? bytesOf("") : this.key();
  }

  /** Seldom true, and only for requests that may be refused. */
  #breaksRule(): boolean {
    return this.#mayBreakRules && this.#choice.onceIn(40);
  }

  #grantedLease(): bigint | undefined {
    const { leases } = this.#model;
    return leases.length === 0 ? undefined : this.#choice.of(leases).id;
  }

  #bound(): number {
    return this.#choice.onceIn(8) ? Math.max(0, this.#model.revision - this.#choice.below(30)) : 0;
  }
}
