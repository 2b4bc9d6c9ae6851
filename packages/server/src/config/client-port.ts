import type { ConnectionLimits, RpcLimits } from "@raftkv/raft-rpc";
import { ConfigError } from "./config-error.ts";
import { checkListenUrls, type MemberUrl, parseMemberUrls } from "./member-url.ts";
import { durationMs, listOf, oneOf, trueOrFalse, wholeNumber } from "./option-value.ts";
import type { OptionName } from "./options.ts";

/** How the client port treats those who connect. */
export interface ClientPortConfig {
  readonly limits: Pick<RpcLimits, "concurrentStreamsMax" | "pingIntervalMinMs" | "keepaliveMs" | "keepaliveTimeoutMs">;
  readonly connections: Pick<ConnectionLimits, "max" | "perAddressMax" | "faultRate" | "delayMaxMs" | "idleMs" | "ageMs">;
  readonly http: HttpConfig;
  /** Is it measured how long calls take? */
  readonly measuresCalls: boolean;
  /** Where health pages and metrics are served besides, and nothing else; mostly none. */
  readonly listenMetricsUrls: readonly MemberUrl[];
}

/** What is not gRPC on the client port. */
export interface HttpConfig {
  /** Is the API served as JSON, too? */
  readonly gateway: boolean;
  /** Origins whose pages a browser lets call; `*` for all. */
  readonly corsOrigins: readonly string[];
  /** Host names by which this member may be called; `*` for all. */
  readonly hosts: readonly string[];
}

const uint32Max = 4_294_967_295;
const delayMsMin = 1;
/** More than clients wait for a connection. */
const delayMsMax = 60_000;

/** Throws ConfigError with the first thing that is wrong. */
export function clientPortConfig(text: (flag: OptionName) => string): ClientPortConfig {
  const count = (flag: OptionName): number => wholeNumber(text(flag), flag, { min: 1, max: uint32Max });
  const duration = (flag: OptionName): number => durationMs(text(flag), flag);
  /** 0 switches a limit off. */
  const limit = (flag: OptionName): number => duration(flag) || Number.POSITIVE_INFINITY;
  const keepaliveTimeoutMs = duration("grpc-keepalive-timeout");
  const listenMetricsUrls = text("listen-metrics-urls") === "" ? [] : parseMemberUrls(text("listen-metrics-urls"), "--listen-metrics-urls");
  checkListenUrls(listenMetricsUrls, "--listen-metrics-urls");
  return {
    limits: {
      concurrentStreamsMax: count("max-concurrent-streams"),
      pingIntervalMinMs: Math.max(1, duration("grpc-keepalive-min-time")),
      // A ping whose answer nobody waits for is none.
      keepaliveMs: keepaliveTimeoutMs === 0 ? Number.POSITIVE_INFINITY : limit("grpc-keepalive-interval"),
      keepaliveTimeoutMs: Math.max(1, keepaliveTimeoutMs),
    },
    connections: {
      max: count("max-connections"),
      perAddressMax: count("max-connections-per-address"),
      faultRate: {
        // 0 switches the limit off.
        burst: wholeNumber(text("max-connection-faults"), "max-connection-faults", { min: 0, max: uint32Max }) || Number.POSITIVE_INFINITY,
        perSecond: count("max-connection-faults-per-second"),
      },
      delayMaxMs: delayMaxMs(text("max-connection-delay")),
      idleMs: limit("max-connection-idle"),
      ageMs: limit("max-connection-age"),
    },
    http: {
      gateway: trueOrFalse(text("enable-grpc-gateway"), "enable-grpc-gateway"),
      corsOrigins: listOf(text("cors"), "cors"),
      hosts: listOf(text("host-whitelist"), "host-whitelist"),
    },
    measuresCalls: oneOf(text("metrics"), "metrics", ["basic", "extensive"]) === "extensive",
    listenMetricsUrls,
  };
}

function delayMaxMs(text: string): number {
  const flag = "max-connection-delay";
  const delayMs = durationMs(text, flag);
  if (delayMs < delayMsMin || delayMs > delayMsMax) throw new ConfigError(`--${flag} ${text} is not between 1ms and 1m`);
  return delayMs;
}
