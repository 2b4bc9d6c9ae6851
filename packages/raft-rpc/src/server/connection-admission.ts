import { checkLimit, type Rate } from "../limits.ts";
import type { LimitName } from "./limit-counters.ts";

export interface ConnectionLimits {
  /** Connections at a time. Default 4,096. */
  readonly max: number;
  /** Of these from one address, or one IPv6 network of 64 bits. Default 256; `Infinity` behind a proxy, from which everybody comes. */
  readonly perAddressMax: number;
  /**
   * Bytes that all of them hold: messages that are begun, that no handler took, and that clients do not read. Above it the connections that
   * hold the most are closed. Default 256 MiB.
   */
  readonly heldBytesMax: number;
  /**
   * Connections of one address, or one IPv6 network of 64 bits, that end by a fault of the client or before a call: above it new ones from
   * there wait. Default 50, then 5 a second.
   */
  readonly faultRate: Rate;
  /** How long they wait at most, each. Others there may be without blame. Default 1 s. */
  readonly delayMaxMs: number;
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
  faultRate: { burst: 50, perSecond: 5 },
  delayMaxMs: 1000,
  idleMs: Number.POSITIVE_INFINITY,
  ageMs: Number.POSITIVE_INFINITY,
};

/** Completes and checks limits. Throws RangeError. */
export function resolveConnectionLimits(overrides: Partial<ConnectionLimits>): ConnectionLimits {
  const limits = { ...defaultConnectionLimits, ...overrides };
  for (const [name, value] of Object.entries<number | Rate>({ ...limits })) checkLimit(`${name} of connections`, value);
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
    if ((this.#byAddress.get(originOf(remoteAddress)) ?? 0) >= this.#limits.perAddressMax) return "connectionsPerAddress";
    return null;
  }

  enter(remoteAddress: string): void {
    const origin = originOf(remoteAddress);
    this.#count++;
    this.#byAddress.set(origin, (this.#byAddress.get(origin) ?? 0) + 1);
  }

  leave(remoteAddress: string): void {
    const origin = originOf(remoteAddress);
    this.#count--;
    const left = (this.#byAddress.get(origin) ?? 0) - 1;
    if (left > 0) this.#byAddress.set(origin, left);
    else this.#byAddress.delete(origin);
  }
}

const mappedIpv4Pattern = /^::ffff:(?<ipv4>[0-9.]+)$/;
const ipv6Groups = 8;
const networkGroups = 4;

/** Who counts as one: an address without the port; of IPv6 a network of 64 bits, which is the least that anybody gets. */
export function originOf(remoteAddress: string): string {
  const colon = remoteAddress.lastIndexOf(":");
  const host = colon < 0 ? remoteAddress : remoteAddress.slice(0, colon);
  if (!host.includes(":")) return host;
  const mapped = mappedIpv4Pattern.exec(host)?.groups?.["ipv4"];
  if (mapped !== undefined) return mapped;
  const [before = "", after] = host.split("::");
  const first = before === "" ? [] : before.split(":");
  const last = after === undefined || after === "" ? [] : after.split(":");
  const zeros = new Array<string>(Math.max(0, ipv6Groups - first.length - last.length)).fill("0");
  return [...first, ...zeros, ...last].slice(0, networkGroups).join(":");
}
