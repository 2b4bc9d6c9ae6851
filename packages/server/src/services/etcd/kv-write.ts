import { encodeDeleteRangeResponse, encodePutResponse } from "@raftkv/api";
import type { Completion, NodeError } from "@raftkv/raft-node";
import type { UnaryCall } from "@raftkv/raft-rpc";
import type { ApplyResult } from "../../state/apply-result.ts";
import { answering } from "../answering.ts";
import type { ServiceContext } from "../service-context.ts";
import { etcdErrorOf, fail, refusalError } from "./etcd-error.ts";
import { encodeTxnAnswer } from "./txn-answer.ts";

/** A Put, DeleteRange or Txn that waits for its entry to be applied. */
export class PendingWrite implements Completion<ApplyResult> {
  private readonly context: ServiceContext;
  private readonly call: UnaryCall;

  constructor(context: ServiceContext, call: UnaryCall) {
    this.context = context;
    this.call = call;
  }

  succeed(result: ApplyResult): void {
    answering(this.call, () => this.answer(result));
  }

  fail(error: NodeError): void {
    fail(this.call, etcdErrorOf(error));
  }

  private answer(result: ApplyResult): void {
    const { call, context } = this;
    switch (result.outcome) {
      case "put":
        return call.respond(encodePutResponse({ header: context.header(result.revision), prevKv: result.previous }));
      case "range-deleted": {
        const { revision, deleted, previous } = result;
        return call.respond(encodeDeleteRangeResponse({ header: context.header(revision), deleted, prevKvs: previous }));
      }
      case "txn":
        return call.respond(encodeTxnAnswer(context.header(result.result.revision), result.result));
      case "refused":
        return fail(call, refusalError(result.reason));
      default:
        throw new Error(`A write through etcd's API ended as ${result.outcome}`);
    }
  }
}
