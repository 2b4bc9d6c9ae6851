import type { ResponseHeader } from "@raftkv/api";

/** A member as the cluster knows it. */
export interface Member {
  /** uint64. */
  readonly id: bigint;
  /** Empty until the member has started once. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** Empty until the member has started once. */
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

export interface MemberList {
  readonly header: ResponseHeader;
  /** By id. */
  readonly members: readonly Member[];
}

export type AlarmType = "NOSPACE" | "CORRUPT";

/** Something that is wrong with a member, for which the whole cluster refuses some calls. */
export interface Alarm {
  readonly memberId: bigint;
  /** A number: one of a newer version. */
  readonly alarm: AlarmType | number;
}

export interface AlarmList {
  readonly header: ResponseHeader;
  readonly alarms: readonly Alarm[];
}

/** How one member is. */
export interface EndpointStatus {
  readonly header: ResponseHeader;
  readonly version: string;
  readonly dbSizeBytes: number;
  readonly dbSizeInUseBytes: number;
  /** Id of the leader, 0 for none. */
  readonly leader: bigint;
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly raftAppliedIndex: number;
  /** What the member complains of. */
  readonly errors: readonly string[];
  readonly isLearner: boolean;
  /** Empty from servers before 3.6. */
  readonly storageVersion: string;
  /** 0 from servers before 3.6. */
  readonly dbSizeQuotaBytes: number;
}

/** Of all keys up to a revision: equal on all members at the same revision and compact revision. */
export interface KeyHash {
  readonly header: ResponseHeader;
  readonly hash: number;
  /** -1: never compacted. */
  readonly compactRevision: number;
  /** 0 from servers before 3.6. */
  readonly hashRevision: number;
}

/** Of everything that a member stores; it differs between members. */
export interface BackendHash {
  readonly header: ResponseHeader;
  readonly hash: number;
}

/** A piece of a snapshot file. The last is the SHA-256 of all before it. */
export interface SnapshotChunk {
  readonly blob: Uint8Array;
  readonly remainingBytes: number;
  /** Of the storage; empty from servers before 3.6. */
  readonly version: string;
}
