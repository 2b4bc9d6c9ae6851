import { type ClientPortConfig, clientPortConfig } from "./client-port.ts";
import { ConfigError } from "./config-error.ts";
import { checkOwnEntry, type InitialMember, parseInitialCluster } from "./initial-cluster.ts";
import { checkListenUrls, type MemberUrl, parseMemberUrls } from "./member-url.ts";
import type { GivenOptions } from "./option-source.ts";
import { nonEmpty, oneOf, wholeNumber } from "./option-value.ts";
import { type OptionName, serverOptions } from "./options.ts";
import { type StoreConfig, storeConfig } from "./store-config.ts";
import { type WatchConfig, watchConfig } from "./watch-config.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Everything a member needs to know, checked. */
export interface MemberConfig {
  readonly name: string;
  readonly dataDir: string;
  readonly listenClientUrls: readonly MemberUrl[];
  readonly advertiseClientUrls: readonly MemberUrl[];
  readonly listenPeerUrls: readonly MemberUrl[];
  readonly initialAdvertisePeerUrls: readonly MemberUrl[];
  readonly initialCluster: readonly InitialMember[];
  readonly initialClusterToken: string;
  readonly initialClusterState: "new" | "existing";
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly snapshotCount: number;
  readonly logLevel: LogLevel;
  readonly maxRequestBytes: number;
  readonly maxLeases: number;
  readonly clientPort: ClientPortConfig;
  readonly store: StoreConfig;
  readonly watch: WatchConfig;
}

const logLevels: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const electionMsMax = 50_000;

/** Checks every setting and how they fit together. Throws ConfigError with the first thing that is wrong. */
export function memberConfig(given: GivenOptions): MemberConfig {
  const text = (flag: OptionName): string => given.get(flag) ?? defaultOf(flag);
  const urls = (flag: OptionName): readonly MemberUrl[] => parseMemberUrls(text(flag), `--${flag}`);

  const name = nonEmpty(text("name"), "name");
  if (/[=,]/.test(name)) throw new ConfigError(`--name "${name}" holds "=" or ",", which separate members in --initial-cluster`);
  const listenClientUrls = urls("listen-client-urls");
  checkListenUrls(listenClientUrls, "--listen-client-urls");
  const listenPeerUrls = urls("listen-peer-urls");
  checkListenUrls(listenPeerUrls, "--listen-peer-urls");
  if (given.has("listen-client-urls") && !given.has("advertise-client-urls")) {
    throw new ConfigError("--advertise-client-urls is required when --listen-client-urls is set");
  }
  const initialAdvertisePeerUrls = urls("initial-advertise-peer-urls");
  const cluster = given.get("initial-cluster") ?? initialAdvertisePeerUrls.map((url) => `${name}=${url.href}`).join();
  const initialCluster = parseInitialCluster(cluster, "--initial-cluster");
  checkOwnEntry(initialCluster, name, initialAdvertisePeerUrls);

  const heartbeatMs = wholeNumber(text("heartbeat-interval"), "heartbeat-interval", { min: 1, max: electionMsMax });
  const electionMs = wholeNumber(text("election-timeout"), "election-timeout", { min: 1, max: electionMsMax });
  if (electionMs < 5 * heartbeatMs) {
    throw new ConfigError(`--election-timeout ${electionMs} ms is less than 5 times --heartbeat-interval ${heartbeatMs} ms`);
  }
  return {
    name,
    dataDir: nonEmpty(given.get("data-dir") ?? `${name}.etcd`, "data-dir"),
    listenClientUrls,
    advertiseClientUrls: urls("advertise-client-urls"),
    listenPeerUrls,
    initialAdvertisePeerUrls,
    initialCluster,
    initialClusterToken: nonEmpty(text("initial-cluster-token"), "initial-cluster-token"),
    initialClusterState: oneOf(text("initial-cluster-state"), "initial-cluster-state", ["new", "existing"]),
    heartbeatMs,
    electionMs,
    snapshotCount: wholeNumber(text("snapshot-count"), "snapshot-count", { min: 1, max: 1_000_000_000 }),
    logLevel: oneOf(text("log-level"), "log-level", logLevels),
    maxRequestBytes: wholeNumber(text("max-request-bytes"), "max-request-bytes", { min: 1024, max: 10 * 1024 * 1024 }),
    maxLeases: wholeNumber(text("max-leases"), "max-leases", { min: 0, max: 1_000_000_000 }),
    clientPort: clientPortConfig(text),
    store: storeConfig(text),
    watch: watchConfig(text),
  };
}

function defaultOf(flag: OptionName): string {
  return serverOptions.find((option) => option.flag === flag)?.default ?? "";
}
