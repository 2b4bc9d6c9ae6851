import { MessageInbox } from "../grpc/message-inbox.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import type { MethodDefinition } from "../grpc/service-definition.ts";
import { StatusCode } from "../grpc/status.ts";
import type { StreamCall, StreamCallHandlers } from "./call.ts";
import { ServerCallContext } from "./server-call-context.ts";
import { decodeRequest, type TypedHandler } from "./typed-handler.ts";

/** Runs a handler of async iterables on the push API of a call. */
export class StreamAdapter implements StreamCallHandlers {
  readonly #call: StreamCall;
  readonly #method: MethodDefinition<unknown, unknown>;
  readonly #handler: TypedHandler;
  readonly #context: ServerCallContext;
  readonly #inbox: MessageInbox<unknown>;
  #responses: AsyncIterator<unknown> | null = null;
  #resumeSending: (() => void) | null = null;

  constructor(call: StreamCall, method: MethodDefinition<unknown, unknown>, handler: TypedHandler) {
    this.#call = call;
    this.#method = method;
    this.#handler = handler;
    this.#context = new ServerCallContext(call);
    this.#inbox = new MessageInbox({ pause: () => call.pause(), resume: () => call.resume(), onReturn: () => call.resume() });
  }

  start(): void {
    this.#call.setHandlers(this);
    if (this.#method.kind === "clientStreaming") this.#run(this.#answerOnce());
    else if (this.#method.kind === "bidirectional") this.#run(this.#answerAll(this.#inbox));
  }

  onMessage(bytes: Uint8Array): void {
    const message = decodeRequest(this.#method.request, bytes);
    if (this.#method.kind === "serverStreaming") this.#run(this.#answerAll(message));
    else this.#inbox.push(message);
  }

  onEnd(): void {
    this.#inbox.end(null);
  }

  onDrain(): void {
    const resume = this.#resumeSending;
    this.#resumeSending = null;
    resume?.();
  }

  onCancel(): void {
    this.#context.abort();
    this.#inbox.end(new RpcError(StatusCode.CANCELLED, "Call was cancelled"));
    this.onDrain();
    // A generator that waits inside is told by the signal and by the end of its requests.
    void this.#responses?.return?.().catch(() => undefined);
  }

  #run(work: Promise<void>): void {
    work.catch((error: unknown) => {
      // After a cancellation nobody waits for the answer, and a handler that fails because of it did right.
      if (!this.#call.cancelled) this.#call.failWith(error);
    });
  }

  async #answerOnce(): Promise<void> {
    const response: unknown = await this.#handler(this.#inbox, this.#context);
    if (this.#call.cancelled) return;
    this.#call.send(this.#method.response.encode(response));
    this.#call.end(StatusCode.OK, "", this.#context.trailers);
  }

  async #answerAll(requests: unknown): Promise<void> {
    const responses = (this.#handler(requests, this.#context) as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    this.#responses = responses;
    for (;;) {
      const result = await responses.next();
      if (this.#call.cancelled) return;
      if (result.done === true) break;
      const hasRoom = this.#call.send(this.#method.response.encode(result.value));
      if (!hasRoom && !this.#call.cancelled) await new Promise<void>((resolve) => (this.#resumeSending = resolve));
      if (this.#call.cancelled) return;
    }
    this.#call.end(StatusCode.OK, "", this.#context.trailers);
  }
}
