import { CodecError, type Command, decodeCommand, etcdserverpb, type PutRequest } from "@raftkv/api";
import { type KeyValue, KVStore, RecordLimitError } from "@raftkv/kvstore";
import type { LogEntry, LogIndex } from "@raftkv/raft-core";
import type { StateMachine, StateSnapshot } from "@raftkv/raft-node";
import type { MemberDirectory } from "../cluster/member-directory.ts";
import { AlarmTable } from "./alarm-table.ts";
import type { ApplyResult } from "./apply-result.ts";
import { StateImage } from "./state-image.ts";
import { restoreState } from "./state-restore.ts";

const AlarmAction = etcdserverpb.AlarmRequest_AlarmAction;

/** What the members of a cluster replicate: the keys, the member directory and the alarms. Same entries, same state, same results. */
export class ReplicatedState implements StateMachine<ApplyResult> {
  readonly store: KVStore;
  readonly directory: MemberDirectory;
  readonly alarms = new AlarmTable();

  /** `seed` is this member's own secret: it keeps a client from choosing keys that make the store slow. */
  constructor(directory: MemberDirectory, seed: number) {
    this.store = new KVStore({ seed });
    this.directory = directory;
  }

  apply(_entry: LogEntry, data: Uint8Array): ApplyResult {
    try {
      return this.execute(decodeCommand(data));
    } catch (error) {
      // Every member refuses the same bytes in the same way; whoever proposed them had to check them before. A command of a newer
      // version is another matter: this member can't go on without it, and stops.
      if (error instanceof CodecError || error instanceof RecordLimitError) return { outcome: "refused", reason: "malformed" };
      throw error;
    }
  }

  snapshot(index: LogIndex): StateSnapshot {
    return new StateImage(index, this.directory.members, this.store.snapshot());
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await restoreState(chunks, this.store, this.directory);
  }

  private execute(command: Command): ApplyResult {
    const { store } = this;
    switch (command.type) {
      case "put":
        return this.put(command.request);
      case "deleteRange": {
        const { key, rangeEnd, prevKv } = command.request;
        const { deleted, previous } = store.deleteRange(key, rangeEnd, { wantPrevious: prevKv });
        return { outcome: "range-deleted", revision: store.revision, deleted, previous };
      }
      case "create": {
        const { outcome } = store.put(command.request.key, command.request.value);
        return { outcome, revision: store.revision };
      }
      case "update": {
        const { outcome } = store.update(command.request.key, command.request.value);
        return { outcome, revision: store.revision };
      }
      case "remove": {
        const { outcome } = store.remove(command.request.key);
        return { outcome, revision: store.revision };
      }
      case "memberAttributes": {
        const { memberId, name, clientUrls, storeId } = command.attributes;
        const outcome = this.directory.setAttributes(memberId, { name, clientUrls, storeId });
        return outcome === "set" ? { outcome: "attributes-set" } : { outcome: "refused", reason: outcome };
      }
      case "compaction":
        return this.compact(command.revision);
      case "alarm":
        return this.alarm(command.request);
      case "txn":
      case "leaseGrant":
      case "leaseRevoke":
      case "leaseExpire":
      case "leaseCheckpoint":
      case "advanceTime":
        // Until the store has transactions, leases and sessions.
        return { outcome: "refused", reason: "malformed" };
      default:
        return command satisfies never;
    }
  }

  private compact(revision: number): ApplyResult {
    const result = this.store.compact(revision);
    if (result.outcome === "compacted") return { outcome: "compacted", revision: this.store.revision };
    return { outcome: "refused", reason: result.reason === "future" ? "future-revision" : "compacted" };
  }

  private alarm({ action, memberID, alarm }: etcdserverpb.AlarmRequest): ApplyResult {
    const selection = { memberId: memberID, kind: alarm };
    switch (action) {
      case AlarmAction.ACTIVATE:
        return { outcome: "alarms", alarms: this.alarms.activate(selection) };
      case AlarmAction.DEACTIVATE:
        return { outcome: "alarms", alarms: this.alarms.deactivate(selection) };
      case AlarmAction.GET:
        return { outcome: "alarms", alarms: this.alarms.select(selection) };
      default:
        return { outcome: "alarms", alarms: [] };
    }
  }

  /** etcd's put: insert or replace; `ignore_value` and `ignore_lease` keep what is there and need an existing key. */
  private put(request: PutRequest): ApplyResult {
    const { store } = this;
    // No lease can be granted yet, so no lease id is known.
    if (request.lease !== 0n) return { outcome: "refused", reason: "lease-not-found" };
    let existing: KeyValue | null = null;
    if (request.ignoreValue || request.ignoreLease) {
      const found = store.get(request.key);
      if (found.outcome === "not-found") return { outcome: "refused", reason: "key-not-found" };
      existing = found.record;
    }
    const value = request.ignoreValue && existing !== null ? existing.value : request.value;
    const lease = request.ignoreLease && existing !== null ? existing.lease : request.lease;
    const { revision, previous } = store.set(request.key, value, { lease, wantPrevious: request.prevKv });
    return { outcome: "put", revision, previous };
  }
}
