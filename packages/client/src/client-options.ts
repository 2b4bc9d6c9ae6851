import type { ByteStream, RpcClock, RpcRandom } from "@raftkv/raft-rpc";
import type { Endpoint } from "./endpoint.ts";
import type { LeaderHint } from "./result.ts";

/** What the client tells while it works, for people; nothing depends on it. */
export type ClientEvent =
  /** `from` named `leader` as the leader; null: it knows of none. */
  | { readonly kind: "redirect"; readonly from: string; readonly leader: LeaderHint | null }
  /** An attempt at `from` was of no use, the next follows. */
  | { readonly kind: "failure"; readonly from: string; readonly reason: string };

/** What can be chosen. */
export interface ClientSettings {
  /** `host:port` or `http://host:port`, at least one; asked in this order while the leader is unknown. */
  readonly endpoints: readonly string[];
  /** Time for a whole call with all its attempts, in ms. Default 5000. */
  readonly timeoutMs?: number;
  /** Ask the leader itself when a member names it. Default true; false: calls resolve to `{ outcome: "redirect" }`. */
  readonly followRedirects?: boolean;
  /** Calls, watches and held leases that there may be at one time; more are refused with ERR_OVERLOADED. Default 10,000. */
  readonly inFlightMax?: number;
  /** Largest answer that is taken, in bytes; a larger one is refused. Default 64 MiB. */
  readonly responseBytesMax?: number;
  /** Bytes of events of all watches together that may wait for their loops; see `WatchOptions.bufferBytesMax`. Default 64 MiB. */
  readonly watchBytesMax?: number;
  readonly onEvent?: (event: ClientEvent) => void;
}

/** The world around the client: real sockets and time, or simulated ones. */
export interface ClientPorts {
  /** Rejects if nobody answers within `timeoutMs`. */
  readonly connect: (endpoint: Endpoint, timeoutMs: number) => Promise<ByteStream>;
  readonly clock: RpcClock;
  /** Draws the client's id and the jitter of its back-off. */
  readonly random: RpcRandom;
  /** Told true when a call begins and none ran, false when the last has ended: meanwhile the process has to be kept alive. */
  readonly onBusy?: (busy: boolean) => void;
}

export interface ClientOptions extends ClientSettings, ClientPorts {}

export const defaultTimeoutMs = 5000;
export const defaultInFlightMax = 10_000;
export const defaultResponseBytesMax = 64 * 1024 * 1024;
export const defaultWatchBytesMax = 64 * 1024 * 1024;
/** Longest time-out that a timer can hold. */
export const longestTimeoutMs = 2 ** 31 - 1;

/** Throws RangeError. */
export function checkTimeout(timeoutMs: number): void {
  if (!(timeoutMs >= 1 && timeoutMs <= longestTimeoutMs))
    throw new RangeError(`Time-out ${timeoutMs} ms is not between 1 and ${longestTimeoutMs}`);
}
