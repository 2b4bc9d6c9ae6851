import {
  CodecError,
  type Command,
  decodeCommand,
  etcdserverpb,
  type KeyPlace,
  locateKey,
  type PutRequest,
  type raftkvCommandV1,
} from "@raftkv/api";
import { type KeyValue, KVStore, RecordLimitError } from "@raftkv/kvstore";
import { crc32c } from "@raftkv/log-store";
import type { LogEntry, LogIndex } from "@raftkv/raft-core";
import type { Clock, StateMachine, StateSnapshot } from "@raftkv/raft-node";
import type { MemberDirectory } from "../cluster/member-directory.ts";
import { alarmRefusal } from "./alarm-rules.ts";
import { AlarmTable } from "./alarm-table.ts";
import type { ApplyResult, Refusal } from "./apply-result.ts";
import { decodeOperationResult, encodeOperationResult, type OperationResult } from "./session-result.ts";
import { StateImage } from "./state-image.ts";
import type { StateObserver } from "./state-observer.ts";
import { restoreState } from "./state-restore.ts";
import { txnRefusal } from "./txn-refusal.ts";

const AlarmAction = etcdserverpb.AlarmRequest_AlarmAction;

/** A command that takes longer holds all clients up (etcd's number). */
const slowCommandMs = 100;

/** The commands of RaftKV's own service, which sessions keep from being executed twice. */
type OperationCommand = Extract<Command, { readonly type: "create" | "update" | "remove" }>;

/**
 * What the members of a cluster replicate: the keys with their leases and sessions, the member directory and the alarms. Same entries,
 * same state, same results.
 */
export class ReplicatedState implements StateMachine<ApplyResult> {
  readonly store: KVStore;
  readonly directory: MemberDirectory;
  readonly alarms = new AlarmTable();
  /** Commands that took long. */
  slowCommands = 0;
  /** A snapshot is being read that replaces everything. */
  isRestoring = false;
  private readonly observers: StateObserver[] = [];
  private readonly clock: Clock | null;
  private readonly keyPlace: KeyPlace = { start: 0, length: 0 };
  /** Of the command that is being applied. */
  private commandNumber = 0;

  /**
   * `seed` is this member's own secret: it keeps a client from choosing keys that make the store slow. With a `clock`, which no decision
   * rests on, long snapshots are cut into turns of the event loop.
   */
  constructor(directory: MemberDirectory, seed: number, clock: Clock | null = null) {
    // Compiled code, where there is some: a snapshot of everything takes turns of the event loop from whoever writes meanwhile.
    this.store = new KVStore({ seed, crc32c: (bytes, start, end, before) => crc32c(bytes.subarray(start, end), before) });
    this.directory = directory;
    this.clock = clock;
  }

  /** For as long as this member runs. */
  observe(observer: StateObserver): void {
    this.observers.push(observer);
  }

  /** Of what compactions gave up; while the member runs, `StoreReclaimer` does it bit by bit. */
  reclaim(): void {
    this.store.reclaim(Number.MAX_SAFE_INTEGER);
  }

  /** Most of what a write takes in a large store is waiting for memory. */
  prepare(commands: readonly Uint8Array[]): void {
    const { keyPlace } = this;
    const { writePrefetch } = this.store;
    for (const command of commands) {
      if (locateKey(command, keyPlace)) writePrefetch.add(command, keyPlace.start, keyPlace.length);
    }
    writePrefetch.run();
  }

  apply(entry: LogEntry, data: Uint8Array, commandNumber: number): ApplyResult {
    this.commandNumber = commandNumber;
    const { revision } = this.store;
    const result = this.execute(entry, data);
    for (const observer of this.observers) observer.applied?.(result);
    if (this.store.revision !== revision) for (const observer of this.observers) observer.written?.(this.store.revision);
    return result;
  }

  snapshot(index: LogIndex): StateSnapshot {
    const cluster = { members: this.directory.members, alarms: this.alarms.all };
    return new StateImage(index, { cluster, keys: this.store.snapshot(), clock: this.clock });
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.isRestoring = true;
    try {
      await restoreState(chunks, this);
    } finally {
      this.isRestoring = false;
    }
    for (const observer of this.observers) observer.restored?.();
  }

  private execute(entry: LogEntry, data: Uint8Array): ApplyResult {
    try {
      const command = decodeCommand(data);
      switch (command.type) {
        case "create":
        case "update":
        case "remove":
          return this.operation(command);
        default:
          return refused(alarmRefusal(this.alarms, command)) ?? this.runTimed(entry, command);
      }
    } catch (error) {
      // Every member refuses the same bytes in the same way; whoever proposed them had to check them before. A command of a newer
      // version is another matter: this member can't go on without it, and stops.
      if (error instanceof CodecError || error instanceof RecordLimitError) return { outcome: "refused", reason: "malformed" };
      throw error;
    }
  }

  /** A single put is never slow, and too frequent for looks at the clock. */
  private runTimed(entry: LogEntry, command: Exclude<Command, OperationCommand>): ApplyResult {
    if (this.clock === null || command.type === "put") return this.run(entry, command);
    const startMs = this.clock.monotonicMs();
    const result = this.run(entry, command);
    if (this.clock.monotonicMs() - startMs > slowCommandMs) this.slowCommands++;
    return result;
  }

  private run(entry: LogEntry, command: Exclude<Command, OperationCommand>): ApplyResult {
    switch (command.type) {
      case "put":
        return this.put(command.request);
      case "deleteRange": {
        const { key, rangeEnd, prevKv } = command.request;
        const { revision, deleted, previous } = this.store.deleteRange(key, rangeEnd, { wantPrevious: prevKv });
        return { outcome: "range-deleted", revision, deleted, previous };
      }
      case "txn": {
        const result = this.store.transact(command.request);
        if (result.outcome === "done") return { outcome: "txn", result };
        return { outcome: "refused", reason: txnRefusal(result.reason) };
      }
      case "compaction":
        return this.compact(command.revision);
      case "leaseGrant":
        return this.grantLease(command.request);
      case "leaseRevoke":
        return this.leaseEnded(command.request.ID, this.store.leases.revoke(command.request.ID));
      case "leaseExpire":
        return this.leaseEnded(command.expiry.id, this.store.leases.expire(command.expiry, entry.term));
      case "leaseCheckpoint":
        return this.checkpointLeases(entry, command.request);
      case "alarm":
        return this.alarm(command.request);
      case "advanceTime":
        this.store.sessions.advance(command.readingMs);
        return { outcome: "time-advanced" };
      case "memberAttributes": {
        const { memberId, name, clientUrls, storeId } = command.attributes;
        const outcome = this.directory.setAttributes(memberId, { name, clientUrls, storeId });
        return outcome === "set" ? { outcome: "attributes-set" } : { outcome: "refused", reason: outcome };
      }
      default:
        return command satisfies never;
    }
  }

  /** An operation of RaftKV's own service. One that its client sends again is not executed again, but answered as the first time. */
  private operation(command: OperationCommand): ApplyResult {
    const { request } = command;
    if (request.clientId === 0n) return refused(alarmRefusal(this.alarms, command)) ?? this.operate(command);
    const { sessions } = this.store;
    const admission = sessions.admit(request);
    switch (admission.kind) {
      case "new": {
        // Nothing was done, so there is nothing to remember.
        const refusal = refused(alarmRefusal(this.alarms, command));
        if (refusal !== null) return refusal;
        const result = this.operate(command);
        sessions.record(request, encodeOperationResult(result));
        return result;
      }
      case "repeated":
        return decodeOperationResult(admission.result);
      case "refused":
        return { outcome: "refused", reason: admission.reason };
      default:
        return admission satisfies never;
    }
  }

  private operate({ type, request }: OperationCommand): OperationResult {
    const { store } = this;
    switch (type) {
      case "create":
        return { outcome: store.put(request.key, request.value).outcome, revision: store.revision };
      case "update":
        return { outcome: store.update(request.key, request.value).outcome, revision: store.revision };
      case "remove":
        return { outcome: store.remove(request.key).outcome, revision: store.revision };
      default:
        return type satisfies never;
    }
  }

  /** etcd's put: insert or replace; `ignore_value` and `ignore_lease` keep what is there and need an existing key. */
  private put(request: PutRequest): ApplyResult {
    const { store } = this;
    if (request.lease !== 0n && !store.leases.has(request.lease)) return { outcome: "refused", reason: "lease-not-found" };
    let existing: KeyValue | null = null;
    if (request.ignoreValue || request.ignoreLease) {
      existing = store.find(request.key);
      if (existing === null) return { outcome: "refused", reason: "key-not-found" };
    }
    const value = request.ignoreValue && existing !== null ? existing.value : request.value;
    const lease = request.ignoreLease && existing !== null ? existing.lease : request.lease;
    const { revision, previous } = store.set(request.key, value, { lease, wantPrevious: request.prevKv });
    return { outcome: "put", revision, previous };
  }

  private compact(revision: number): ApplyResult {
    const result = this.store.compact(revision);
    if (result.outcome === "refused") {
      return { outcome: "refused", reason: result.reason === "future" ? "future-revision" : "compacted" };
    }
    for (const observer of this.observers) observer.compacted?.();
    return { outcome: "compacted", revision: this.store.revision };
  }

  /** The proposer has chosen the id and the time. */
  private grantLease({ ID: id, TTL }: etcdserverpb.LeaseGrantRequest): ApplyResult {
    const ttlSeconds = Number(TTL);
    if (id === 0n || !Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1) return { outcome: "refused", reason: "malformed" };
    const outcome = this.store.leases.grant(id, ttlSeconds, this.commandNumber);
    if (outcome === "already-exists") return { outcome: "refused", reason: "lease-exists" };
    this.leaseChanged(id);
    return { outcome: "lease-granted", revision: this.store.revision, id, ttlSeconds };
  }

  private leaseEnded(id: bigint, result: LeaseEnd): ApplyResult {
    if (result.outcome === "not-found") return { outcome: "refused", reason: "lease-not-found" };
    if (result.outcome === "stale") return { outcome: "refused", reason: "stale-expiry" };
    this.leaseChanged(id);
    return { outcome: "lease-revoked", revision: result.revision };
  }

  /** What an earlier leader saw says nothing about what its successor granted since. */
  private checkpointLeases(entry: LogEntry, { checkpoints, term }: raftkvCommandV1.LeaseCheckpoints): ApplyResult {
    if (term !== BigInt(entry.term)) return { outcome: "refused", reason: "stale-checkpoint" };
    for (const { ID: id, remainingTTL } of checkpoints) {
      if (this.store.leases.checkpoint(id, Number(remainingTTL))) this.leaseChanged(id);
    }
    return { outcome: "leases-checkpointed" };
  }

  private leaseChanged(id: bigint): void {
    for (const observer of this.observers) observer.leaseChanged?.(id);
  }

  /** What asks for alarms does not go through the log. */
  private alarm({ action, memberID, alarm: kind }: etcdserverpb.AlarmRequest): ApplyResult {
    const alarm = { memberId: memberID, kind };
    switch (action) {
      case AlarmAction.ACTIVATE:
        return { outcome: "alarms", alarms: this.alarms.activate(alarm) };
      case AlarmAction.DEACTIVATE:
        return { outcome: "alarms", alarms: this.alarms.deactivate(alarm) };
      default:
        return { outcome: "refused", reason: "malformed" };
    }
  }
}

type LeaseEnd = ReturnType<KVStore["leases"]["expire"]>;

function refused(reason: Refusal | null): ApplyResult | null {
  return reason === null ? null : { outcome: "refused", reason };
}
