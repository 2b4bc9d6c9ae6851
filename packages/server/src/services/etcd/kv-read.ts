import { type RangeRequest, RangeResponseWriter, type TxnRequest } from "@raftkv/api";
import type { KeyValueView } from "@raftkv/kvstore";
import type { Completion, NodeError } from "@raftkv/raft-node";
import type { UnaryCall } from "@raftkv/raft-rpc";
import { txnRefusal } from "../../state/txn-refusal.ts";
import { answering } from "../answering.ts";
import type { ServiceContext } from "../service-context.ts";
import { etcdErrorOf, etcdErrors, fail, refusalError } from "./etcd-error.ts";
import { rangeQuery, revisionError } from "./range-query.ts";
import { encodeTxnAnswer } from "./txn-answer.ts";

/** Answers reads from the store as it is, without an object per pair. */
export class KvReader {
  private readonly context: ServiceContext;
  private readonly writer = new RangeResponseWriter();
  private readonly visit = (view: KeyValueView): void => this.write(view);

  constructor(context: ServiceContext) {
    this.context = context;
  }

  answerRange(request: RangeRequest, call: UnaryCall): void {
    const { store } = this.context.state;
    const error = revisionError(store, request.revision);
    if (error !== null) return fail(call, error);
    const query = rangeQuery(request);
    if (query === null) return fail(call, etcdErrors.invalidSort);
    this.writer.begin();
    const { count, more } = store.visitRange(request.key, request.rangeEnd, query, this.visit);
    call.respond(this.writer.finish(this.context.header(store.revision), more, count));
  }

  /** `request` only reads. */
  answerTxn(request: TxnRequest, call: UnaryCall): void {
    const result = this.context.state.store.transact(request);
    if (result.outcome === "done") return call.respond(encodeTxnAnswer(this.context.header(result.revision), result));
    fail(call, refusalError(txnRefusal(result.reason)));
  }

  failed(error: NodeError): void {
    this.context.counts.readFailed(error);
  }

  private write(view: KeyValueView): void {
    this.writer.keyValue(
      view.keyView(),
      view.valueView(),
      view.createRevision,
      view.modRevision,
      view.version,
      view.leaseHigh,
      view.leaseLow,
    );
  }
}

abstract class PendingRead<Request> implements Completion<number> {
  protected readonly reader: KvReader;
  protected readonly request: Request;
  protected readonly call: UnaryCall;

  constructor(reader: KvReader, request: Request, call: UnaryCall) {
    this.reader = reader;
    this.request = request;
    this.call = call;
  }

  succeed(): void {
    answering(this.call, () => this.answer());
  }

  fail(error: NodeError): void {
    this.reader.failed(error);
    fail(this.call, etcdErrorOf(error));
  }

  protected abstract answer(): void;
}

/** A Range that waits until this member has applied what it must show. */
export class PendingRange extends PendingRead<RangeRequest> {
  protected answer(): void {
    this.reader.answerRange(this.request, this.call);
  }
}

/** The same for a transaction that only reads. */
export class PendingReadTxn extends PendingRead<TxnRequest> {
  protected answer(): void {
    this.reader.answerTxn(this.request, this.call);
  }
}
