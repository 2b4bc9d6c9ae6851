import type { ServerResponse } from "node:http";
import type { JsonMethod } from "@raftkv/api";
import { type Metadata, StatusCode, type UnaryCall, type UnaryHandler } from "@raftkv/raft-rpc";
import type { ExchangeDeadline } from "../exchange-deadline.ts";
import { GatewayCall, type GatewayCallOptions } from "./gateway-call.ts";
import { type GatewayError, sendError } from "./gateway-error.ts";

export interface UnaryGatewayCallOptions extends GatewayCallOptions {
  readonly method: JsonMethod;
  readonly handler: UnaryHandler;
  readonly message: Uint8Array;
  readonly response: ServerResponse;
  readonly deadline: ExchangeDeadline;
  /** The client has to read the answer within this time, and some more if it is long. */
  readonly stallMs: number;
}

/** Who reads more slowly is taken for one who does not read. */
const slowestBytesPerMs = 64;

/** One JSON object in, one out. */
export class UnaryGatewayCall extends GatewayCall implements UnaryCall {
  onCancel: (() => void) | null = null;
  readonly #options: UnaryGatewayCallOptions;

  constructor(options: UnaryGatewayCallOptions) {
    super(options);
    this.#options = options;
  }

  respond(message: Uint8Array): void {
    const { method, response, deadline, stallMs } = this.#options;
    // First, for an answer that does not fit is an error of the call.
    const json = this.cancelled ? "" : method.responseToJson(message);
    this.countResponse(message);
    if (!this.finish("respond", StatusCode.OK)) return;
    response.setHeader("Content-Type", "application/json");
    response.setHeader("Grpc-Metadata-Content-Type", "application/grpc");
    deadline.extend(stallMs + json.length / slowestBytesPerMs);
    response.end(json);
  }

  fail(code: StatusCode, message: string): void {
    if (this.finish("fail", code)) this.sendStatus({ code, message });
  }

  sendMetadata(metadata: Metadata): void {
    metadata.writeHeaders((name, value) => this.#options.response.setHeader(`Grpc-Metadata-${name}`, value));
  }

  protected override run(): void {
    this.countRequest(this.#options.message);
    this.#options.handler(this.#options.message, this);
  }

  protected override sendStatus(status: GatewayError): void {
    const { response, deadline, stallMs } = this.#options;
    if (response.destroyed) return;
    deadline.extend(stallMs);
    sendError(response, status, "service");
  }

  /** It still owes an answer, and runs until it gives it. */
  protected override handlerCancelled(): void {
    this.onCancel?.();
  }
}
