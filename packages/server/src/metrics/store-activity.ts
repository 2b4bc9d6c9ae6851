import type { KVStore, TxnResult } from "@raftkv/kvstore";
import type { ApplyResult } from "../state/apply-result.ts";
import type { StateObserver } from "../state/state-observer.ts";
import { ClassCounter, doublingBounds } from "./class-counter.ts";

type OperationResults = Extract<TxnResult, { readonly outcome: "done" }>["responses"];

export type ActivityCounts = Readonly<
  Pick<StoreActivity, "puts" | "deletes" | "txns" | "txnRanges" | "leasesGranted" | "leasesRevoked" | "leaseTtls">
>;

/** What applied commands did to the store since this member started, as plain fields that only grow. */
export class StoreActivity implements StateObserver {
  /** Keys that were put, and keys that were deleted, in whatever way. */
  puts = 0;
  deletes = 0;
  /** Transactions of more than one operation, and ranges within transactions. */
  txns = 0;
  txnRanges = 0;
  leasesGranted = 0;
  /** Seconds of the leases that were granted. */
  readonly leaseTtls = new ClassCounter(doublingBounds(1, 24));
  /** Also those that expired. */
  leasesRevoked = 0;
  private readonly store: Pick<KVStore, "revision" | "visitEvents">;
  /** Before the command that is being counted. */
  private revision: number;

  constructor(store: Pick<KVStore, "revision" | "visitEvents">) {
    this.store = store;
    this.revision = store.revision;
  }

  applied(result: ApplyResult): void {
    switch (result.outcome) {
      case "put":
      case "created":
      case "updated":
        this.puts++;
        break;
      case "range-deleted":
        this.deletes += result.deleted;
        break;
      case "removed":
        this.deletes++;
        break;
      case "txn":
        if (this.countOperations(result.result.responses) > 1) this.txns++;
        break;
      case "lease-granted":
        this.leasesGranted++;
        this.leaseTtls.observe(result.ttlSeconds);
        break;
      case "lease-revoked":
        this.leasesRevoked++;
        this.deletes += this.eventsOfThisCommand();
        break;
      default:
        break;
    }
  }

  written(revision: number): void {
    this.revision = revision;
  }

  restored(): void {
    this.revision = this.store.revision;
  }

  /** Returns how many operations there were, those of nested transactions with them. */
  private countOperations(responses: OperationResults): number {
    let operations = 0;
    for (const response of responses) {
      operations += response.type === "txn" ? this.countOperations(response.responses) : 1;
      if (response.type === "range") this.txnRanges++;
      else if (response.type === "put") this.puts++;
      else if (response.type === "deleteRange") this.deletes += response.deleted;
    }
    return operations;
  }

  /** A lease that had no keys took no revision. */
  private eventsOfThisCommand(): number {
    let events = 0;
    if (this.store.revision > this.revision) this.store.visitEvents(this.store.revision, 1, () => events++);
    return events;
  }
}
