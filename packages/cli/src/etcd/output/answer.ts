import type {
  AlarmList,
  DeleteRangeResponse,
  EndpointStatus,
  KeyHash,
  LeaseGrant,
  LeaseList,
  LeaseRenewal,
  LeaseTimeToLive,
  MemberList,
  PutResponse,
  RangeResponse,
  ResponseHeader,
  TxnResponse,
  WatchEvent,
} from "@raftkv/client";

export interface WatchAnswer {
  readonly header: ResponseHeader | null;
  readonly events: readonly WatchEvent[];
  /** Above 0: the server ended the watch, because what it needs is compacted up to here. */
  readonly compactRevision: number;
}

/** `value` for an endpoint as the user wrote it. */
export interface OfEndpoint<Value> {
  readonly endpoint: string;
  readonly value: Value;
}

export interface EndpointHealth {
  readonly healthy: boolean;
  readonly tookMs: number;
  /** Empty: none. */
  readonly error: string;
}

export interface SnapshotStatus {
  /** First four bytes of the file's SHA-256. */
  readonly hash: number;
  readonly revision: number;
  readonly totalKeys: number;
  readonly totalBytes: number;
}

/** Everything that a verb can have been answered. */
export type Answer =
  | { readonly kind: "put"; readonly response: PutResponse }
  /** `valuesOnly`: without keys, where the format is simple. */
  | { readonly kind: "range"; readonly response: RangeResponse; readonly valuesOnly?: boolean }
  | { readonly kind: "delete"; readonly response: DeleteRangeResponse }
  | { readonly kind: "txn"; readonly response: TxnResponse }
  | { readonly kind: "watch"; readonly response: WatchAnswer }
  | { readonly kind: "lease-grant"; readonly response: LeaseGrant }
  | { readonly kind: "lease-revoke"; readonly header: ResponseHeader; readonly id: bigint }
  | { readonly kind: "lease-time-to-live"; readonly response: LeaseTimeToLive; readonly keysAsked: boolean }
  | { readonly kind: "lease-list"; readonly response: LeaseList }
  | { readonly kind: "lease-keep-alive"; readonly response: LeaseRenewal }
  | { readonly kind: "member-list"; readonly response: MemberList }
  | { readonly kind: "alarms"; readonly response: AlarmList }
  | { readonly kind: "move-leader"; readonly from: bigint; readonly to: bigint }
  | { readonly kind: "endpoint-status"; readonly endpoints: readonly OfEndpoint<EndpointStatus>[] }
  | { readonly kind: "endpoint-health"; readonly endpoints: readonly OfEndpoint<EndpointHealth>[] }
  | { readonly kind: "endpoint-hash"; readonly endpoints: readonly OfEndpoint<KeyHash>[] }
  | { readonly kind: "snapshot-status"; readonly status: SnapshotStatus };
