import type { Channel } from "../../client/channel.ts";
import type { ClientStreamCall } from "../../client/client-call.ts";
import { Metadata, type ReadonlyMetadata } from "../../grpc/metadata.ts";
import type { MethodKind } from "../../grpc/service-definition.ts";
import { StatusCode } from "../../grpc/status.ts";
import { echoedInitial, echoedTrailing, type InteropRequest, requestCodec, responseCodec } from "./interop-service.ts";

/** A call of any kind, as data, so that clients in other languages can make it. */
export interface InteropCall {
  readonly path: string;
  readonly kind: MethodKind;
  readonly requests: readonly InteropRequest[];
  /** Send the next request only when the last has been answered. */
  readonly pingPong?: boolean;
  readonly timeoutMs?: number;
  /** Cancel after so many responses; 0: shortly after the beginning, without an end of the requests. */
  readonly cancelAfter?: number;
  /** Sent under `echoedInitial` and, as bytes, under `echoedTrailing`. */
  readonly echo?: { readonly initial: string; readonly trailing: readonly number[] };
}

/** How the call went. */
export interface InteropOutcome {
  readonly code: number;
  readonly message: string;
  /** Lengths of the responses. */
  readonly sizes: readonly number[];
  /** The last response, if it is short. */
  readonly text: string;
  /** What came back of `echo`. */
  readonly initial: string | null;
  readonly trailing: readonly number[] | null;
}

/** A client that is tried, whatever it is made of. */
export interface InteropClient {
  call(call: InteropCall): Promise<InteropOutcome>;
  close(): Promise<void>;
}

export const cancelDelayMs = 20;
const textLengthMax = 100;

/** Puts responses and what came with them together. */
export class OutcomeBuilder {
  readonly #sizes: number[] = [];
  #text = "";
  initial: string | null = null;
  trailing: readonly number[] | null = null;

  get count(): number {
    return this.#sizes.length;
  }

  response(text: string): void {
    this.#sizes.push(text.length);
    this.#text = text.length <= textLengthMax ? text : "";
  }

  ended(code: number, message: string): InteropOutcome {
    return { code, message, sizes: this.#sizes, text: this.#text, initial: this.initial, trailing: this.trailing };
  }
}

/** Our channel as a client. */
export class ChannelInteropClient implements InteropClient {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  call(call: InteropCall): Promise<InteropOutcome> {
    return new Promise((resolve) => new ChannelRun(call, resolve).start(this.#channel));
  }

  close(): Promise<void> {
    return this.#channel.close();
  }
}

/** One call on our channel. */
class ChannelRun {
  readonly #spec: InteropCall;
  readonly #resolve: (outcome: InteropOutcome) => void;
  readonly #outcome = new OutcomeBuilder();
  #sent = 0;

  constructor(spec: InteropCall, resolve: (outcome: InteropOutcome) => void) {
    this.#spec = spec;
    this.#resolve = resolve;
  }

  start(channel: Channel): void {
    const { path, timeoutMs, cancelAfter, echo } = this.#spec;
    const metadata = echo === undefined ? {} : { metadata: echoMetadata(echo) };
    const call = channel.stream(
      path,
      {
        onMetadata: (received) => this.#metadata(received),
        onMessage: (message) => {
          this.#outcome.response(responseCodec.decode(message));
          if (this.#outcome.count === cancelAfter) call.cancel();
          else this.#sendMore(call);
        },
        onDrain: () => undefined,
        onClose: (error, trailers) => {
          this.#metadata(trailers);
          this.#resolve(this.#outcome.ended(error?.code ?? StatusCode.OK, error?.message ?? ""));
        },
      },
      { ...metadata, ...(timeoutMs === undefined ? {} : { timeoutMs }) },
    );
    if (cancelAfter === 0) setTimeout(() => call.cancel(), cancelDelayMs);
    this.#sendMore(call);
  }

  #sendMore(call: ClientStreamCall): void {
    const { requests, pingPong = false, cancelAfter } = this.#spec;
    while (this.#sent < requests.length) {
      call.send(requestCodec.encode(requests[this.#sent++] ?? {}));
      if (pingPong) return;
    }
    if (cancelAfter === undefined) call.end();
  }

  #metadata(received: ReadonlyMetadata): void {
    this.#outcome.initial ??= received.get(echoedInitial) ?? null;
    const trailing = received.getBytes(echoedTrailing);
    if (trailing !== undefined) this.#outcome.trailing = [...trailing];
  }
}

function echoMetadata({ initial, trailing }: NonNullable<InteropCall["echo"]>): Metadata {
  return Metadata.of({ [echoedInitial]: initial, [echoedTrailing]: Uint8Array.from(trailing) });
}
