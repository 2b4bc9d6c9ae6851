import type { IncomingMessage, ServerResponse } from "node:http";
import { JsonError, type JsonMethod, readJsonValue } from "@raftkv/api";
import { type Metadata, RpcError, StatusCode, type StreamCall, type StreamCallHandlers, type StreamHandler } from "@raftkv/raft-rpc";
import type { ExchangeDeadline } from "../exchange-deadline.ts";
import { GatewayCall, type GatewayCallOptions } from "./gateway-call.ts";
import { type GatewayError, httpStatus, sendError, streamErrorLine } from "./gateway-error.ts";
import { JsonDocuments } from "./json-documents.ts";

export interface StreamGatewayCallOptions extends GatewayCallOptions {
  readonly method: JsonMethod;
  readonly handler: StreamHandler;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly deadline: ExchangeDeadline;
  /** The client has to read something of what waits within this time. */
  readonly stallMs: number;
  /** Of one JSON document, and of the message that it stands for. */
  readonly documentBytesMax: number;
  readonly messageBytesMax: number;
  /** Bytes that may wait to be read before a handler that does not stop loses the call. */
  readonly queueBytesMax: number;
}

/** Any number of JSON objects in, one after the other; one line out for each message, in a chunk of its own. */
export class StreamGatewayCall extends GatewayCall implements StreamCall {
  readonly #options: StreamGatewayCallOptions;
  readonly #documents = new JsonDocuments();
  #handlers: StreamCallHandlers | null = null;
  #isPaused = false;
  #bodyHasEnded = false;
  #inputHasEnded = false;
  #messageCount = 0;

  constructor(options: StreamGatewayCallOptions) {
    super(options);
    this.#options = options;
  }

  setHandlers(handlers: StreamCallHandlers): void {
    this.#handlers = handlers;
  }

  sendMetadata(metadata: Metadata): void {
    metadata.writeHeaders((name, value) => this.#options.response.setHeader(`Grpc-Metadata-${name}`, value));
  }

  send(message: Uint8Array): boolean {
    const { method, response, deadline, stallMs, queueBytesMax } = this.#options;
    if (this.phase === "cancelled") return false;
    if (this.phase !== "running") throw new Error(`Call ${this.path} has ended already`);
    if (response.writableLength > queueBytesMax) {
      this.interrupt({ code: StatusCode.RESOURCE_EXHAUSTED, message: `${response.writableLength} bytes wait to be read by the client` });
      return false;
    }
    const line = `{"result":${method.responseToJson(message)}}\n`;
    this.countResponse(message);
    this.#begin();
    const hasRoom = response.write(line);
    if (!hasRoom) deadline.extend(stallMs);
    return hasRoom;
  }

  pause(): void {
    this.#isPaused = true;
    this.#options.request.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#options.request.resume();
    this.#read();
  }

  end(code: StatusCode = StatusCode.OK, message = ""): void {
    if (this.finish("end", code)) this.sendStatus({ code, message });
  }

  protected override run(): void {
    const { handler, request, response } = this.#options;
    response.on("drain", () => this.#drained());
    handler(this);
    request.on("data", (chunk: Uint8Array) => {
      if (this.phase !== "running") return;
      this.#documents.push(chunk);
      this.#read();
    });
    request.once("end", () => {
      this.#bodyHasEnded = true;
      this.#read();
    });
  }

  /** Of a stream that has not begun the status is that of the response. */
  protected override sendStatus(status: GatewayError): void {
    const { request, response, deadline, stallMs } = this.#options;
    request.resume();
    if (response.destroyed || response.writableEnded) return;
    deadline.extend(stallMs);
    if (!response.headersSent && status.code !== StatusCode.OK) {
      response.statusCode = httpStatus(status.code);
      response.setHeader("Content-Type", "application/json");
    }
    if (status.code === StatusCode.OK) this.#begin();
    response.end(status.code === StatusCode.OK ? "" : streamErrorLine(status));
  }

  /** A stream's handler has ended by this. */
  protected override handlerCancelled(): void {
    this.cancelledRunEnded();
    this.#handlers?.onCancel();
  }

  /** Hands on what is there, as far as the handler wants it. */
  #read(): void {
    try {
      while (!this.#isPaused && !this.#inputHasEnded && this.phase === "running") {
        const text = this.#documents.next();
        if (text === null) break;
        this.#hand(text);
      }
      if (this.#isPaused || this.#inputHasEnded || this.phase !== "running") return;
      this.#checkSize(this.#documents.begunBytes, this.#options.documentBytesMax);
      if (this.#bodyHasEnded) this.#endInput();
    } catch (error) {
      if (error instanceof JsonError) this.#refuse(error);
      else this.failWith(error);
    }
  }

  #hand(text: string): void {
    const { method, messageBytesMax } = this.#options;
    const message = method.encodeRequest(readJsonValue(text));
    this.#checkSize(message.length, messageBytesMax);
    this.#messageCount++;
    this.countRequest(message);
    this.#handlers?.onMessage(message);
    // A method of one request looks at nothing that follows.
    if (method.kind === "server_streaming") this.#tellEnd();
  }

  /** The body is complete. */
  #endInput(): void {
    const rest = this.#documents.rest();
    if (rest !== null) this.#hand(rest);
    // A method of one request takes an empty body for an empty request.
    else if (this.#messageCount === 0 && this.#options.method.kind === "server_streaming") this.#hand("{}");
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.#inputHasEnded || this.phase !== "running") return;
    this.#inputHasEnded = true;
    this.#handlers?.onEnd();
  }

  /** Throws RpcError. */
  #checkSize(bytes: number, bytesMax: number): void {
    if (bytes <= bytesMax) return;
    throw new RpcError(StatusCode.RESOURCE_EXHAUSTED, `grpc: received message larger than max (${bytes} vs. ${bytesMax})`);
  }

  /** What the client sent is no request: said in the form of unary calls while nothing else was said. */
  #refuse({ message }: JsonError): void {
    const { response } = this.#options;
    const error = { code: StatusCode.INVALID_ARGUMENT, message };
    if (!response.headersSent) sendError(response, error, "gateway");
    this.interrupt(error);
  }

  #begin(): void {
    const { response } = this.#options;
    if (response.headersSent) return;
    response.writeHead(200, { "Content-Type": "application/json", "Grpc-Metadata-Content-Type": "application/grpc" });
  }

  #drained(): void {
    this.#options.deadline.suspend();
    if (this.phase !== "running") return;
    try {
      this.#handlers?.onDrain();
    } catch (error) {
      this.failWith(error);
    }
  }
}
