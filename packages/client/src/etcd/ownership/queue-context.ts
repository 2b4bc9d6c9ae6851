import type { RpcClock } from "@raftkv/raft-rpc";
import type { KeyRange } from "../key-range.ts";
import type { KvClient } from "../kv-client.ts";
import type { LeaseClient } from "../lease/lease-client.ts";
import type { Watch, WatchOptions } from "../watch/watch-types.ts";

/** The cluster and the time, as those that wait in line need them. */
export interface QueueContext {
  readonly kv: KvClient;
  readonly leases: LeaseClient;
  readonly watch: (keys: KeyRange, options: WatchOptions) => Watch;
  readonly clock: RpcClock;
}
