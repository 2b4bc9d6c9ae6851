import { Metadata, type ReadonlyMetadata } from "../grpc/metadata.ts";
import type { PeerIdentity } from "../peer-identity.ts";
import type { StreamCall, UnaryCall } from "./call.ts";
import type { CallContext } from "./service-impl.ts";

/** The `CallContext` of a typed handler. */
export class ServerCallContext implements CallContext {
  readonly trailers = new Metadata();
  readonly #call: UnaryCall | StreamCall;
  #controller: AbortController | null = null;

  constructor(call: UnaryCall | StreamCall) {
    this.#call = call;
  }

  get path(): string {
    return this.#call.path;
  }

  get metadata(): ReadonlyMetadata {
    return this.#call.metadata;
  }

  get authority(): string {
    return this.#call.authority;
  }

  get remoteAddress(): string {
    return this.#call.remoteAddress;
  }

  get peer(): PeerIdentity | null {
    return this.#call.peer;
  }

  get deadlineMs(): number {
    return this.#call.deadlineMs;
  }

  get cancelled(): boolean {
    return this.#call.cancelled;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#call.cancelled) this.#controller.abort();
    return this.#controller.signal;
  }

  sendMetadata(metadata: Metadata): void {
    this.#call.sendMetadata(metadata);
  }

  abort(): void {
    this.#controller?.abort();
  }
}
