/** Turns messages of one type into bytes and back. `decode` throws on malformed bytes; it may keep views into them. */
export interface Codec<T> {
  encode(message: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

export type MethodKind = "unary" | "clientStreaming" | "serverStreaming" | "bidirectional";

export interface MethodDefinition<Request, Response, Kind extends MethodKind = MethodKind> {
  /** As on the wire: `Range`. */
  readonly name: string;
  readonly kind: Kind;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

export interface ServiceDefinition {
  /** As on the wire: `etcdserverpb.KV`. */
  readonly typeName: string;
  /** By local name: `range`. */
  readonly methods: Readonly<Record<string, MethodDefinition<unknown, unknown>>>;
}

/** Keeps the literal types (`kind: "unary"`), from which `ServiceImpl` and `Client` are derived. */
export function defineService<const S extends ServiceDefinition>(service: S): S {
  return service;
}

export type RequestOf<M> = M extends { readonly request: Codec<infer T> } ? T : never;
export type ResponseOf<M> = M extends { readonly response: Codec<infer T> } ? T : never;

/** `/etcdserverpb.KV/Range`. */
export function methodPath(service: ServiceDefinition, method: { readonly name: string }): string {
  return `/${service.typeName}/${method.name}`;
}
