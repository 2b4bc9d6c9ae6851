import { CodecError, decodeLeaseKeepAliveRequest, encodeLeaseKeepAliveResponse, type ResponseHeader } from "@raftkv/api";
import type { Completion, NodeError } from "@raftkv/raft-node";
import { StatusCode, type StreamCall, type StreamCallHandlers } from "@raftkv/raft-rpc";
import type { LeaseRouter } from "../../lease/lease-router.ts";
import type { ServiceContext } from "../service-context.ts";
import type { EtcdError } from "./etcd-error.ts";
import { leaseErrorOf } from "./lease-error.ts";

/** Renewals of one stream that may wait; the client is read again when half of them are answered. */
const waitingMax = 1_000;

export interface LeaseKeepAliveStreamOptions {
  readonly context: Pick<ServiceContext, "header" | "state">;
  readonly router: Pick<LeaseRouter, "keepAlive">;
  /** Called once, however the stream ended. */
  readonly onOver: () => void;
}

/**
 * One `LeaseKeepAlive` stream: a response for each request, in their order. On the hot path: one object for each renewal that waits, and no
 * promise.
 */
export class LeaseKeepAliveStream implements StreamCallHandlers {
  private readonly call: StreamCall;
  private readonly options: LeaseKeepAliveStreamOptions;
  private renewals: Renewal[] = [];
  /** The client sends faster than it is answered, or reads more slowly. */
  private isPaused = false;
  private isClientDone = false;
  private isOver = false;

  constructor(call: StreamCall, options: LeaseKeepAliveStreamOptions) {
    this.call = call;
    this.options = options;
    call.setHandlers(this);
  }

  onMessage(bytes: Uint8Array): void {
    if (this.isOver) return;
    const id = this.decodedId(bytes);
    if (id === null) return;
    const { context, router } = this.options;
    // As etcd: the header shows the store as it was before the renewal.
    const renewal = new Renewal(this, id, context.header(context.state.store.revision));
    this.renewals.push(renewal);
    if (this.renewals.length >= waitingMax) this.pause();
    router.keepAlive(id, renewal);
  }

  onEnd(): void {
    this.isClientDone = true;
    this.sendAnswered();
  }

  onCancel(): void {
    this.finish();
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
    if (this.isClientDone && this.renewals.length === 0) return this.end({ code: StatusCode.OK, message: "" });
    if (!this.isPaused || this.renewals.length > waitingMax / 2) return;
    this.isPaused = false;
    this.call.resume();
  }

  failed(error: NodeError): void {
    this.end(leaseErrorOf(error));
  }

  /** Ends the stream, unless it is over already. */
  end({ code, message }: EtcdError): void {
    if (this.isOver) return;
    this.finish();
    this.call.end(code, message);
  }

  private decodedId(bytes: Uint8Array): bigint | null {
    try {
      return decodeLeaseKeepAliveRequest(bytes).id;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.end({ code: StatusCode.INTERNAL, message: `grpc: error unmarshalling request: ${error.message}` });
      return null;
    }
  }

  private pause(): void {
    this.isPaused = true;
    this.call.pause();
  }

  private finish(): void {
    this.isOver = true;
    this.renewals = [];
    this.options.onOver();
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
