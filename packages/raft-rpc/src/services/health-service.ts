import { RpcError } from "../grpc/rpc-error.ts";
import { StatusCode } from "../grpc/status.ts";
import type { StreamCall, StreamCallHandlers, UnaryCall } from "../server/call.ts";
import type { Dispatcher } from "../server/dispatcher.ts";
import { readHealthRequest, ServingStatus, writeHealthList, writeHealthResponse } from "./health-messages.ts";

/** A longer list gets RESOURCE_EXHAUSTED (gRPC health checking, List). */
const listedServicesMax = 100;

/**
 * gRPC's health checking (`grpc.health.v1.Health`): Check, Watch and List. Holds what the owner says of each service; the empty name is the
 * server as a whole, which is SERVING until something else is said.
 */
export class HealthService {
  readonly #statuses = new Map<string, ServingStatus>([["", ServingStatus.SERVING]]);
  readonly #watchers = new Map<string, Set<HealthWatch>>();
  #isShutDown = false;

  addTo(dispatcher: Dispatcher): this {
    dispatcher
      .addUnary("/grpc.health.v1.Health/Check", (message, call) => this.#check(message, call))
      .addUnary("/grpc.health.v1.Health/List", (_message, call) => this.#list(call))
      .addStream("/grpc.health.v1.Health/Watch", (call) => call.setHandlers(new HealthWatch(call, this)), { requests: "one" });
    return this;
  }

  /** Tells those who watch the service, if it is news. Does nothing after `shutDown`. */
  setStatus(service: string, status: ServingStatus): void {
    if (this.#isShutDown || this.#statuses.get(service) === status) return;
    this.#statuses.set(service, status);
    for (const watch of this.#watchers.get(service) ?? []) watch.changed(status);
  }

  /** All services are NOT_SERVING from here on: before the server closes, so that clients go elsewhere. */
  shutDown(): void {
    for (const service of this.#statuses.keys()) this.setStatus(service, ServingStatus.NOT_SERVING);
    this.#isShutDown = true;
  }

  /** SERVICE_UNKNOWN for a service that nobody spoke of. */
  statusOf(service: string): ServingStatus {
    return this.#statuses.get(service) ?? ServingStatus.SERVICE_UNKNOWN;
  }

  /** For HealthWatch. */
  addWatch(service: string, watch: HealthWatch): void {
    const watches = this.#watchers.get(service) ?? new Set();
    this.#watchers.set(service, watches.add(watch));
  }

  /** For HealthWatch. */
  removeWatch(service: string, watch: HealthWatch): void {
    const watches = this.#watchers.get(service);
    if (watches?.delete(watch) === true && watches.size === 0) this.#watchers.delete(service);
  }

  #check(message: Uint8Array, call: UnaryCall): void {
    const status = this.#statuses.get(readRequest(message));
    if (status === undefined) call.fail(StatusCode.NOT_FOUND, "unknown service");
    else call.respond(writeHealthResponse(status));
  }

  #list(call: UnaryCall): void {
    if (this.#statuses.size > listedServicesMax) {
      call.fail(StatusCode.RESOURCE_EXHAUSTED, `server health list exceeds maximum capacity: ${listedServicesMax}`);
    } else {
      call.respond(writeHealthList(this.#statuses));
    }
  }
}

/** A client that watches one service. Of changes that it does not read in time it gets the last. */
class HealthWatch implements StreamCallHandlers {
  readonly #call: StreamCall;
  readonly #health: HealthService;
  #service: string | null = null;
  #sent: ServingStatus | null = null;
  #hasRoom = true;

  constructor(call: StreamCall, health: HealthService) {
    this.#call = call;
    this.#health = health;
  }

  changed(status: ServingStatus): void {
    if (!this.#hasRoom || status === this.#sent) return;
    this.#sent = status;
    this.#hasRoom = this.#call.send(writeHealthResponse(status));
  }

  onMessage(message: Uint8Array): void {
    this.#service = readRequest(message);
    this.#health.addWatch(this.#service, this);
    this.changed(this.#health.statusOf(this.#service));
  }

  onEnd(): void {
    // The one request came before.
  }

  onDrain(): void {
    this.#hasRoom = true;
    if (this.#service !== null) this.changed(this.#health.statusOf(this.#service));
  }

  onCancel(): void {
    if (this.#service !== null) this.#health.removeWatch(this.#service, this);
  }
}

function readRequest(message: Uint8Array): string {
  try {
    return readHealthRequest(message);
  } catch (cause) {
    throw new RpcError(StatusCode.INTERNAL, "grpc: error unmarshalling request", { cause });
  }
}
