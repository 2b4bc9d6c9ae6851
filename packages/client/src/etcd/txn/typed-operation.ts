import type { RequestOp, ResponseOp } from "@raftkv/api";

/** One operation of a transaction, and how its answer is read. */
export interface Operation<Result> {
  readonly request: RequestOp;
  /** Throws ClientError if it is the answer to another operation. */
  readonly read: (response: ResponseOp) => Result;
}

export type Operations = readonly Operation<unknown>[];

/** What the operations answer, place by place. */
export type ResultsOf<Ops extends Operations> = {
  readonly [Place in keyof Ops]: Ops[Place] extends Operation<infer Result> ? Result : never;
};
