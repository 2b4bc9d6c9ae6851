import { methodPath, type ServiceDefinition } from "../grpc/service-definition.ts";
import { adaptMethod } from "./method-adapter.ts";
import { MethodCounters } from "./method-counters.ts";
import type { RequestCount, Route, StreamHandler, UnaryHandler } from "./route.ts";
import type { ServiceImpl } from "./service-impl.ts";
import type { TypedHandler } from "./typed-handler.ts";

/** Maps `/package.Service/Method` to handlers. May be shared by servers, and may grow while they run. */
export class Dispatcher {
  readonly #routes = new Map<string, Route>();
  readonly #serviceNames = new Set<string>();

  /** Adds the methods that `impl` has; the others of the service answer UNIMPLEMENTED. Throws if a path is taken. */
  add<S extends ServiceDefinition>(service: S, impl: ServiceImpl<S>): this {
    this.#serviceNames.add(service.typeName);
    for (const [localName, method] of Object.entries(service.methods)) {
      // The types of ServiceImpl say that the handler fits the method; here they are no longer known.
      const handler = impl[localName] as TypedHandler | undefined;
      if (handler === undefined) continue;
      this.#addRoute(adaptMethod(methodPath(service, method), method, (request, call) => handler.call(impl, request, call)));
    }
    return this;
  }

  /** The hot path: bytes in, bytes out, no promise and no closure per call. */
  addUnary(path: string, handler: UnaryHandler): this {
    return this.#addRoute({ kind: "unary", requests: "one", path, handler, counters: new MethodCounters() });
  }

  /** With `requests: "one"` the handler begins when the one message of the client, and its end, have come. Default: at once. */
  addStream(path: string, handler: StreamHandler, { requests = "many" }: { readonly requests?: RequestCount } = {}): this {
    return this.#addRoute({ kind: "stream", requests, path, handler, counters: new MethodCounters() });
  }

  find(path: string): Route | undefined {
    return this.#routes.get(path);
  }

  /** Full names of the services that have a handler. */
  serviceNames(): string[] {
    return [...this.#serviceNames];
  }

  /** What the calls of each path came to, on all servers together. */
  *counters(): IterableIterator<readonly [path: string, MethodCounters]> {
    for (const { path, counters } of this.#routes.values()) yield [path, counters];
  }

  /** What grpc-go says of a path without a route. */
  unknown(path: string): string {
    const slash = path.lastIndexOf("/");
    if (path.charCodeAt(0) !== 0x2f || slash <= 0) return `malformed method name: ${JSON.stringify(path)}`;
    const service = path.slice(1, slash);
    if (!this.#serviceNames.has(service)) return `unknown service ${service}`;
    return `unknown method ${path.slice(slash + 1)} for service ${service}`;
  }

  #addRoute(route: Route): this {
    if (this.#routes.has(route.path)) throw new Error(`Path ${route.path} has a handler already`);
    this.#routes.set(route.path, route);
    this.#serviceNames.add(route.path.slice(1, route.path.lastIndexOf("/")));
    return this;
  }
}
