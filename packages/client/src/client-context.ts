import type { ClientEvent, ClientPorts } from "./client-options.ts";
import type { Endpoint } from "./endpoint.ts";
import type { InFlight } from "./in-flight.ts";
import type { MemberConnections } from "./member-connections.ts";

/** What the parts of one client share. */
export interface ClientContext {
  readonly ports: ClientPorts;
  readonly endpoints: readonly Endpoint[];
  /** Of a call that is not told another. */
  readonly timeoutMs: number;
  readonly watchBytesMax: number;
  readonly connections: MemberConnections;
  readonly inFlight: InFlight;
  readonly onEvent: (event: ClientEvent) => void;
}
