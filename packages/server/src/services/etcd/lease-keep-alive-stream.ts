import { CodecError, decodeLeaseKeepAliveRequest, encodeLeaseKeepAliveResponse, type ResponseHeader } from "@raftkv/api";
import type { Completion, NodeError } from "@raftkv/raft-node";
import { StatusCode, type StreamCall, type StreamCallHandlers } from "@raftkv/raft-rpc";
import type { LeaseRouter } from "../../lease/lease-router.ts";
import type { ServiceContext } from "../service-context.ts";
import { leaseErrorOf } from "./lease-error.ts";

/** Renewals of one stream that may wait; the client is read again when half of them are answered. */
const waitingMax = 1_000;

/**
 * One `LeaseKeepAlive` stream: a response for each request, in their order. On the hot path: one object for each renewal that waits, and no
 * promise.
 */
export class LeaseKeepAliveStream implements StreamCallHandlers {
  private readonly call: StreamCall;
  private readonly context: Pick<ServiceContext, "header" | "state">;
  private readonly router: Pick<LeaseRouter, "keepAlive">;
  private renewals: Renewal[] = [];
  /** The client sends faster than it is answered, or reads more slowly. */
  private isPaused = false;
  private isClientDone = false;
  private isOver = false;

  constructor(call: StreamCall, context: Pick<ServiceContext, "header" | "state">, router: Pick<LeaseRouter, "keepAlive">) {
    this.call = call;
    this.context = context;
    this.router = router;
    call.setHandlers(this);
  }

  onMessage(bytes: Uint8Array): void {
    if (this.isOver) return;
    const id = this.decodedId(bytes);
    if (id === null) return;
    // As etcd: the header shows the store as it was before the renewal.
    const renewal = new Renewal(this, id, this.context.header(this.context.state.store.revision));
    this.renewals.push(renewal);
    if (this.renewals.length >= waitingMax) this.pause();
    this.router.keepAlive(id, renewal);
  }

  onEnd(): void {
    this.isClientDone = true;
    this.sendAnswered();
  }

  onCancel(): void {
    this.isOver = true;
    this.renewals = [];
  }

  onDrain(): void {
    this.sendAnswered();
  }

  /** Sends what is answered, up to the first renewal that is not. */
  sendAnswered(): void {
    let count = 0;
    let isWritable = true;
    for (const { ttl, id, header } of this.renewals) {
      if (ttl === null || !isWritable || this.isOver) break;
      isWritable = this.call.send(encodeLeaseKeepAliveResponse({ header, id, ttl }));
      count++;
    }
    if (count > 0) this.renewals = this.renewals.slice(count);
    if (!isWritable) return this.pause();
    if (this.isClientDone && this.renewals.length === 0) return this.end(StatusCode.OK, "");
    if (!this.isPaused || this.renewals.length > waitingMax / 2) return;
    this.isPaused = false;
    this.call.resume();
  }

  failed(error: NodeError): void {
    const { code, message } = leaseErrorOf(error);
    this.end(code, message);
  }

  private decodedId(bytes: Uint8Array): bigint | null {
    try {
      return decodeLeaseKeepAliveRequest(bytes).id;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.end(StatusCode.INTERNAL, `grpc: error unmarshalling request: ${error.message}`);
      return null;
    }
  }

  private pause(): void {
    this.isPaused = true;
    this.call.pause();
  }

  private end(code: StatusCode, message: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.renewals = [];
    this.call.end(code, message);
  }
}

class Renewal implements Completion<number> {
  readonly id: bigint;
  readonly header: ResponseHeader;
  /** Null until it is answered. */
  ttl: number | null = null;
  private readonly stream: LeaseKeepAliveStream;

  constructor(stream: LeaseKeepAliveStream, id: bigint, header: ResponseHeader) {
    this.stream = stream;
    this.id = id;
    this.header = header;
  }

  succeed(ttl: number): void {
    this.ttl = ttl;
    this.stream.sendAnswered();
  }

  fail(error: NodeError): void {
    this.stream.failed(error);
  }
}
