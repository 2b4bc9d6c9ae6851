import type { IncomingMessage, ServerResponse } from "node:http";
import { JsonError, type JsonMethod, readJsonValue } from "@raftkv/api";
import type { Clock } from "@raftkv/raft-node";
import { RpcError, StatusCode } from "@raftkv/raft-rpc";
import type { ClientCalls } from "../../services/client-calls.ts";
import type { ExchangeDeadline } from "../exchange-deadline.ts";
import { sendText } from "../text-answer.ts";
import { CallSlots } from "./call-slots.ts";
import type { GatewayCall, GatewayCallOptions } from "./gateway-call.ts";
import { type GatewayError, sendError } from "./gateway-error.ts";
import { gatewayRoutes } from "./gateway-routes.ts";
import { RequestBodies } from "./request-bodies.ts";
import { requestMetadata, requestTimeoutMs } from "./request-metadata.ts";
import { StreamGatewayCall } from "./stream-gateway-call.ts";
import { UnaryGatewayCall } from "./unary-gateway-call.ts";

/** A request for the gateway. */
export interface GatewayExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly deadline: ExchangeDeadline;
  /** For the body to come, and for what was sent to be read. */
  readonly timeoutMs: number;
}

type CalledMethod = Pick<GatewayCallOptions, "path" | "counters">;

/** `/v3beta` is what etcd 3.3 called it. */
const prefix = /^\/v3(beta)?(?=\/)/;
/** Base64 takes a third more than what it stands for, and escapes of JSON more than that. */
const jsonBytesPerByte = 2;
/** Of requests, as much as connections by HTTP/2 may hold. */
const heldBytesMax = 256 * 1024 * 1024;
/** Of the answers of one stream. */
const queueBytesMax = 4 * 1024 * 1024;

/** etcd's API as JSON over HTTP/1.1. Calls the same handlers as gRPC, by the same rules, without a connection in between. */
export class Gateway {
  readonly #calls: ClientCalls;
  readonly #clock: Pick<Clock, "setTimer" | "monotonicMs">;
  readonly #slots: CallSlots;
  readonly #bodies: RequestBodies;
  readonly #open = new Set<GatewayCall>();
  readonly #documentBytesMax: number;

  constructor(calls: ClientCalls, clock: Pick<Clock, "setTimer" | "monotonicMs">) {
    this.#calls = calls;
    this.#clock = clock;
    this.#slots = new CallSlots(calls.concurrentMax);
    this.#documentBytesMax = jsonBytesPerByte * calls.messageBytesMax;
    this.#bodies = new RequestBodies({ bytesMax: this.#documentBytesMax, heldBytesMax });
  }

  /** Is this path the gateway's, whether there is something or not? */
  serves(path: string): boolean {
    return prefix.test(path);
  }

  answer(exchange: GatewayExchange): void {
    const { request, response, path } = exchange;
    const method = gatewayRoutes.get(path.replace(prefix, ""));
    if (method !== undefined && request.method === "POST") return this.#call(exchange, method);
    request.resume();
    if (method === undefined) sendText(response, 404, "Not Found\n");
    else sendText(response, 405, "Method Not Allowed\n");
  }

  /** Ends what runs. */
  endAll(): void {
    for (const call of [...this.#open]) call.interrupt({ code: StatusCode.UNAVAILABLE, message: "server is shutting down" });
  }

  #call(exchange: GatewayExchange, method: JsonMethod): void {
    const route = this.#calls.dispatcher.find(method.path);
    if (route === undefined) {
      const message = this.#calls.dispatcher.unknown(method.path);
      return refuse(exchange, { code: StatusCode.UNIMPLEMENTED, message });
    }
    let options: GatewayCallOptions;
    try {
      options = this.#callOptions(exchange, route);
    } catch (error) {
      return refuse(exchange, RpcError.from(error));
    }
    const { request, response, deadline, timeoutMs: stallMs } = exchange;
    const base = { ...options, method, response, deadline, stallMs };
    if (route.kind === "unary") {
      const { handler } = route;
      this.#readBody(exchange, method, (message, release) => {
        const onEnded = (call: GatewayCall): void => {
          release();
          base.onEnded(call);
        };
        this.#start(exchange, new UnaryGatewayCall({ ...base, handler, message, onEnded }));
      });
      return;
    }
    const limits = { documentBytesMax: this.#documentBytesMax, messageBytesMax: this.#calls.messageBytesMax, queueBytesMax };
    this.#start(exchange, new StreamGatewayCall({ ...base, ...limits, handler: route.handler, request }));
  }

  /** Throws RpcError for headers that are malformed. */
  #callOptions({ request }: GatewayExchange, { path, counters }: CalledMethod): GatewayCallOptions {
    return {
      calls: this.#calls,
      clock: this.#clock,
      path,
      counters,
      metadata: requestMetadata(request.headers),
      authority: request.headers.host ?? "",
      remoteAddress: `${request.socket.remoteAddress}:${request.socket.remotePort}`,
      deadlineMs: this.#clock.monotonicMs() + requestTimeoutMs(request.headers),
      onEnded: (call) => {
        this.#open.delete(call);
        this.#slots.leave(call);
      },
    };
  }

  #readBody(exchange: GatewayExchange, method: JsonMethod, onMessage: (message: Uint8Array, release: () => void) => void): void {
    exchange.deadline.extend(exchange.timeoutMs);
    this.#bodies.read(exchange.request, {
      onText: (text, release) => {
        const message = this.#messageOf(exchange, method, text);
        if (message === null) release();
        else onMessage(message, release);
      },
      onRefused: (error) => refuse(exchange, error),
    });
  }

  /** Null if the text is no request, which has been answered then. */
  #messageOf(exchange: GatewayExchange, method: JsonMethod, text: string): Uint8Array | null {
    const { messageBytesMax } = this.#calls;
    try {
      const message = method.encodeRequest(text.trim() === "" ? null : readJsonValue(text));
      if (message.length <= messageBytesMax) return message;
      const sentence = `grpc: received message larger than max (${message.length} vs. ${messageBytesMax})`;
      refuse(exchange, { code: StatusCode.RESOURCE_EXHAUSTED, message: sentence });
    } catch (error) {
      if (error instanceof JsonError) refuse(exchange, { code: StatusCode.INVALID_ARGUMENT, message: error.message });
      else {
        this.#calls.onHandlerError(method.path, error);
        refuse(exchange, RpcError.from(error));
      }
    }
    return null;
  }

  #start({ response, deadline }: GatewayExchange, call: GatewayCall): void {
    deadline.suspend();
    response.once("close", () => call.abandon());
    this.#open.add(call);
    if (!this.#slots.enter(call)) {
      call.interrupt({ code: StatusCode.RESOURCE_EXHAUSTED, message: "raftkv: too many calls wait at the JSON gateway, try again" });
    }
  }
}

/** Answers a request that never became a call. */
function refuse({ request, response }: GatewayExchange, error: GatewayError): void {
  request.resume();
  if (!response.headersSent && !response.destroyed) sendError(response, error, "gateway");
}
