import type { Compare, RequestOp, ResponseHeader, TxnRequest, TxnResponse } from "@raftkv/api";
import { ClientError } from "../../client-error.ts";
import type { TxnOptions } from "../kv-options.ts";
import type { Operations, ResultsOf } from "./typed-operation.ts";

/** Which of both lists was run, and what it answered. */
export type TxnResult<Success extends Operations, Failure extends Operations> =
  | { readonly succeeded: true; readonly header: ResponseHeader; readonly responses: ResultsOf<Success> }
  | { readonly succeeded: false; readonly header: ResponseHeader; readonly responses: ResultsOf<Failure> };

type Commit = (request: TxnRequest, options?: TxnOptions) => Promise<TxnResponse>;

/**
 * A transaction: if all conditions hold (also if there are none) the `success` operations are run, else the `failure` operations, all at one
 * revision or not at all. A value: each step makes a new one. `commit` runs it; as `operation.txn(inner)` it is a part of another.
 */
export class Txn<Success extends Operations, Failure extends Operations> {
  readonly #commit: Commit;
  readonly #conditions: readonly Compare[];
  readonly #success: Success;
  readonly #failure: Failure;

  private constructor(commit: Commit, conditions: readonly Compare[], success: Success, failure: Failure) {
    this.#commit = commit;
    this.#conditions = conditions;
    this.#success = success;
    this.#failure = failure;
  }

  /** One that does nothing yet. */
  static empty(commit: Commit): Txn<[], []> {
    return new Txn(commit, [], [], []);
  }

  /** Adds conditions. */
  compare(...conditions: readonly Compare[]): Txn<Success, Failure> {
    return new Txn(this.#commit, [...this.#conditions, ...conditions], this.#success, this.#failure);
  }

  /** Adds operations for the case that all conditions hold. */
  success<More extends Operations>(...operations: More): Txn<[...Success, ...More], Failure> {
    return new Txn(this.#commit, this.#conditions, [...this.#success, ...operations], this.#failure);
  }

  /** Adds operations for the case that some condition does not hold. */
  failure<More extends Operations>(...operations: More): Txn<Success, [...Failure, ...More]> {
    return new Txn(this.#commit, this.#conditions, this.#success, [...this.#failure, ...operations]);
  }

  /** Rejects with ClientError. One that only reads, or is idempotent, goes to another member when one does not answer. */
  async commit(options?: TxnOptions): Promise<TxnResult<Success, Failure>> {
    return this.read(await this.#commit(this.request, options));
  }

  get request(): TxnRequest {
    return {
      compare: this.#conditions,
      success: this.#success.map(({ request }) => request),
      failure: this.#failure.map(({ request }) => request),
    };
  }

  /** Throws ClientError if it is the answer to another transaction. */
  read({ header, succeeded, responses }: TxnResponse): TxnResult<Success, Failure> {
    return succeeded
      ? { succeeded, header, responses: readAll(this.#success, responses) }
      : { succeeded, header, responses: readAll(this.#failure, responses) };
  }
}

export function isReadOnly({ success, failure }: TxnRequest): boolean {
  return success.every(isRead) && failure.every(isRead);
}

function isRead(operation: RequestOp): boolean {
  return operation.type === "range" || (operation.type === "txn" && isReadOnly(operation.request));
}

function readAll<Ops extends Operations>(operations: Ops, responses: TxnResponse["responses"]): ResultsOf<Ops> {
  if (responses.length !== operations.length) {
    throw new ClientError("ERR_REJECTED", `A transaction of ${operations.length} operations was answered with ${responses.length} results`);
  }
  // One result per operation, in the same places.
  return operations.map(({ read }, place) => read(responses[place] ?? { type: "none" })) as unknown as ResultsOf<Ops>;
}
