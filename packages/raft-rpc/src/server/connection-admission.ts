import type { LimitName } from "./limit-counters.ts";

export interface ConnectionLimits {
  /** Connections at a time. Default 4,096. */
  readonly max: number;
  /** Of these from one address. Default 256. */
  readonly perAddressMax: number;
  /**
   * Bytes that all of them hold: messages that are begun, that no handler took, and that clients do not read. Above it the connections that
   * hold the most are closed. Default 256 MiB.
   */
  readonly heldBytesMax: number;
  /** A connection without calls for this long is told to go (GOAWAY). Default Infinity: never. */
  readonly idleMs: number;
  /**
   * A connection of this age, give or take a tenth, is told to go, and ends with its last call: so that clients spread again over servers
   * that came later. Default Infinity: never.
   */
  readonly ageMs: number;
}

export const defaultConnectionLimits: ConnectionLimits = {
  max: 4096,
  perAddressMax: 256,
  heldBytesMax: 256 * 1024 * 1024,
  idleMs: Number.POSITIVE_INFINITY,
  ageMs: Number.POSITIVE_INFINITY,
};

/** Completes and checks limits. Throws RangeError. */
export function resolveConnectionLimits(overrides: Partial<ConnectionLimits>): ConnectionLimits {
  const limits = { ...defaultConnectionLimits, ...overrides };
  for (const [name, value] of Object.entries(limits)) {
    if (!(value > 0)) throw new RangeError(`Limit ${name} of connections is ${value}, it must be above 0`);
  }
  return limits;
}

/** Counts connections, in all and by address. */
export class ConnectionAdmission {
  readonly #limits: ConnectionLimits;
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** The limit that another connection from there would break; null if there is room. */
  brokenLimit(remoteAddress: string): Extract<LimitName, "connections" | "connectionsPerAddress"> | null {
    if (this.#count >= this.#limits.max) return "connections";
    if ((this.#byAddress.get(hostOf(remoteAddress)) ?? 0) >= this.#limits.perAddressMax) return "connectionsPerAddress";
    return null;
  }

  enter(remoteAddress: string): void {
    const host = hostOf(remoteAddress);
    this.#count++;
    this.#byAddress.set(host, (this.#byAddress.get(host) ?? 0) + 1);
  }

  leave(remoteAddress: string): void {
    const host = hostOf(remoteAddress);
    this.#count--;
    const left = (this.#byAddress.get(host) ?? 0) - 1;
    if (left > 0) this.#byAddress.set(host, left);
    else this.#byAddress.delete(host);
  }
}

/** Without the port. */
function hostOf(remoteAddress: string): string {
  const colon = remoteAddress.lastIndexOf(":");
  return colon < 0 ? remoteAddress : remoteAddress.slice(0, colon);
}
