import type { NodeMetrics } from "@raftkv/raft-node";
import type { LimitCounters, MethodCounters } from "@raftkv/raft-rpc";
import type { CheckCount } from "../http/check-pages.ts";
import type { HealthCounts } from "../http/health-page.ts";
import type { LeaseCounts } from "../lease/lease-counts.ts";
import type { PeerFigures } from "../peer/peer-network.ts";
import type { VersionCount } from "../services/client-versions.ts";
import type { ServiceCounts } from "../services/service-counts.ts";
import type { Alarm } from "../state/alarm-table.ts";
import type { ClassCounts } from "./class-counter.ts";
import type { ActivityCounts } from "./store-activity.ts";

export interface StoreFigures {
  readonly revision: number;
  /** -1 if it was never compacted. */
  readonly compactRevision: number;
  readonly keyCount: number;
  /** Memory that the keys take, and what of it is in use. */
  readonly reservedBytes: number;
  readonly usedBytes: number;
  /** Infinity for no limit. */
  readonly quotaBytes: number;
}

/** What came of the calls of one method. */
export interface MethodFigures {
  /** `etcdserverpb.KV`. */
  readonly service: string;
  /** `Range`. */
  readonly method: string;
  readonly type: "unary" | "server_stream" | "client_stream" | "bidi_stream";
  readonly counters: Readonly<MethodCounters>;
  /** Seconds that its calls took; null if they are not measured. */
  readonly seconds: ClassCounts | null;
}

/** Giving back the memory of compacted versions. */
export interface ReclaimFigures {
  /** Versions that were given back. */
  readonly versions: number;
  readonly sliceMs: ClassCounts;
  readonly totalMs: ClassCounts;
}

export interface WatchFigures {
  readonly watcherCount: number;
  /** Watchers that lack something. */
  readonly slowCount: number;
  /** Each as often as watchers got it. */
  readonly deliveredEvents: number;
}

/** What a member knows of itself when somebody asks. */
export interface MemberFigures {
  readonly memberId: bigint;
  readonly node: NodeMetrics;
  readonly store: StoreFigures;
  readonly activity: ActivityCounts;
  readonly reclaim: ReclaimFigures;
  readonly leases: Readonly<LeaseCounts>;
  readonly services: Readonly<ServiceCounts>;
  /** Commands that took long to apply. */
  readonly slowCommands: number;
  readonly isRestoring: boolean;
  readonly lateHeartbeats: number;
  readonly clientVersions: Iterable<Readonly<VersionCount>>;
  readonly alarms: readonly Alarm[];
  readonly methods: readonly MethodFigures[];
  readonly watches: WatchFigures;
  readonly peers: readonly PeerFigures[];
  /** Connections of clients by HTTP/2, and how often a limit refused something of theirs. */
  readonly connections: number;
  readonly limits: Readonly<LimitCounters>;
  /** Connections by HTTP/1.1. */
  readonly httpConnections: number;
  readonly health: Readonly<HealthCounts>;
  readonly checks: readonly CheckCount[];
}
