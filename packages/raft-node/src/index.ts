export { bootstrapLog, isEmptyLog } from "./bootstrap.ts";
export { commandsOf } from "./command-batch.ts";
export { EntriesLostError } from "./entries-lost-error.ts";
export type { LeadershipTransferResult } from "./leadership-transfer.ts";
export type { LogBatch, LogReplay, LogStore, LogStoreMetrics, LostEntries, RecoveredLog, SnapshotReader } from "./log-store.ts";
export type { MembershipChangeResult } from "./membership-changes.ts";
export { laneOf, type MessageLane, messageLanes } from "./message-lane.ts";
export { type Completion, NodeError, type NodeErrorCode, promised, type Retryable } from "./node-error.ts";
export type { MemberRepairStatus, MemberState, NodeMetrics } from "./node-metrics.ts";
export type { RaftNodeOptions } from "./node-options.ts";
export { type Pace, pacedChunks } from "./paced-chunks.ts";
export type { PeerTransport, PeerTransportHandlers } from "./peer-transport.ts";
export {
  type Address,
  type Clock,
  type Connection,
  type ConnectionHandlers,
  type DirectoryLock,
  type Disk,
  DiskError,
  type DiskErrorCode,
  type DiskFile,
  type Listener,
  type LogFields,
  type Logger,
  type Network,
  NetworkError,
  type NetworkErrorCode,
  type Ports,
  type Random,
  type Timer,
} from "./ports.ts";
export { type CoreInspection, RaftNode } from "./raft-node.ts";
export { rehearseElections } from "./rehearsal.ts";
export type { StateMachine, StateSnapshot } from "./state-machine.ts";
