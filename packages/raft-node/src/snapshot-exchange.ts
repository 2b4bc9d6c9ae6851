import type { InstallSnapshot, LogEntry, LogIndex, NodeId, RaftCore, SnapshotMeta, Term } from "@raftkv/raft-core";
import { CatchUpWindow } from "./catch-up-window.ts";
import type { LogStore } from "./log-store.ts";
import { type Pace, pacedChunks } from "./paced-chunks.ts";
import type { PeerTransport } from "./peer-transport.ts";
import type { Clock, Logger } from "./ports.ts";
import type { SnapshotPolicy } from "./snapshot-policy.ts";
import type { StateMachine } from "./state-machine.ts";

/** Of saving: at 256 KiB a chunk it leaves more than 30 MB/s, as much as a log of small entries grows by. */
export const savingPace: Pace = { restPerWork: 3, restMsMax: 5 };

export interface SnapshotExchangeOptions<Result> {
  readonly core: RaftCore;
  readonly logStore: LogStore;
  readonly stateMachine: StateMachine<Result>;
  readonly transport: PeerTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly policy: SnapshotPolicy;
  /** Where the state machine stands if the start has brought it beyond the newest snapshot, else null. */
  readonly replayed: { readonly index: LogIndex; readonly term: Term } | null;
  readonly catchUpEntries: number;
  readonly catchUpBytes: number;
  /** The state machine is within an apply job. */
  readonly isApplying: () => boolean;
  /** The core was told something. */
  readonly onProgress: () => void;
  readonly onFailure: (error: Error) => void;
}

/**
 * Takes this member's snapshots, sends them to followers that need one, and receives them from leaders. What was applied leaves the log in
 * memory before a snapshot covers it: a follower that turns out to lack it gets a snapshot that is taken for it.
 */
export class SnapshotExchange<Result> {
  private readonly options: SnapshotExchangeOptions<Result>;
  private readonly policy: SnapshotPolicy;
  private readonly window: CatchUpWindow;
  /** Where the state machine stands, unless it is within a job; null until something was applied. */
  private last: { readonly index: LogIndex; readonly term: Term } | null;
  /** A follower lacks what is neither in the log in memory nor in a snapshot. */
  private isWanted = false;
  private savedIndex: number;
  private saving: Promise<void> | null = null;
  private readonly sending = new Map<NodeId, Promise<void>>();
  /** Stored, and not yet taken or turned down by the core. */
  private received: SnapshotMeta | null = null;
  private receiving = false;
  private closed = false;

  constructor(options: SnapshotExchangeOptions<Result>) {
    this.options = options;
    this.policy = options.policy;
    this.last = options.replayed;
    this.window = new CatchUpWindow(options.catchUpBytes);
    this.savedIndex = options.logStore.recovered.snapshot?.index ?? 0;
  }

  /** The state machine stands at the last of these: takes a snapshot if one is wanted, or enough was applied since the one before. */
  applied(entries: readonly LogEntry[], commands: number): void {
    this.policy.applied(entries, commands);
    this.window.applied(entries);
    const last = entries.at(-1);
    // Not the entry itself: its data would stay in memory.
    if (last !== undefined) this.last = { index: last.index, term: last.term };
    this.options.core.forgetApplied(this.window.forgotten);
    if (this.isWanted || this.policy.isDue) this.take();
  }

  private take(): void {
    const { last } = this;
    if (last === null || last.index <= this.savedIndex || this.saving !== null) return;
    this.isWanted = false;
    this.policy.begun();
    const meta = { index: last.index, term: last.term, configuration: this.options.core.configuration };
    this.saving = this.save(meta)
      .catch((error: unknown) => this.options.onFailure(asError(error)))
      .finally(() => {
        this.saving = null;
      });
  }

  /** The core wants `message.to` to get a snapshot; one transfer at a time for each follower. */
  send(message: InstallSnapshot): void {
    if (this.sending.has(message.to)) return;
    const delivery = message.snapshot.index + 1 < this.options.core.status().firstIndex ? this.renew() : this.transfer(message);
    const transfer = delivery.then(
      (isStored) => this.sent(message, isStored),
      (error: unknown) => {
        this.options.logger.warn("snapshot was not delivered", { to: message.to, index: message.snapshot.index, error: asError(error) });
        this.sent(message, false);
      },
    );
    this.sending.set(message.to, transfer);
  }

  /** Stores what a leader sends, unless the log is already past it. The message itself goes to the core afterwards. */
  async receive(message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { core, logStore } = this.options;
    if (message.snapshot.index <= core.commit) return;
    if (this.receiving || this.received !== null) throw new Error("Another snapshot is being received");
    this.receiving = true;
    try {
      await logStore.receiveSnapshot(message.snapshot, chunks);
      this.received = message.snapshot;
    } finally {
      this.receiving = false;
    }
  }

  /** The core took the received snapshot: the storage queue puts it in force. */
  accepted(meta: SnapshotMeta): void {
    if (this.received?.index !== meta.index || this.received.term !== meta.term) {
      throw new Error(`Snapshot ${meta.index} of term ${meta.term} was accepted but never received`);
    }
    this.received = null;
  }

  /** A received snapshot that the core did not take in the turn that brought its message is of no use. */
  afterTurn(): void {
    const meta = this.received;
    if (meta === null) return;
    this.received = null;
    this.options.logStore.discardSnapshot(meta).catch((error: unknown) => this.options.onFailure(asError(error)));
  }

  /** The snapshot of the leader is in force: brings the state machine there. */
  async restoreInstalled(meta: SnapshotMeta): Promise<void> {
    await this.saving;
    // A newer one that was installed meanwhile has brought the state machine here and further.
    if (this.savedIndex >= meta.index) return;
    const reader = await this.options.logStore.readSnapshot();
    if (reader === null || reader.meta.index < meta.index) {
      throw new Error(`Snapshot ${meta.index} was installed, but the newest is ${reader?.meta.index ?? "none"}`);
    }
    try {
      await this.options.stateMachine.restore(reader.chunks());
    } finally {
      await reader.close();
    }
    this.savedIndex = reader.meta.index;
    this.last = reader.meta;
    this.policy.begun();
    this.policy.ended(reader.sizeBytes);
    this.options.logger.info("restored from a snapshot of the leader", { index: reader.meta.index, term: reader.meta.term });
  }

  /** Waits for what is under way; the transport is closed already. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([this.saving, ...this.sending.values()]);
  }

  private async save(meta: SnapshotMeta): Promise<void> {
    const { core, logStore, stateMachine, clock, logger, catchUpEntries } = this.options;
    const image = stateMachine.snapshot(meta.index);
    const isClosed = (): boolean => this.closed;
    let bytes = 0;
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of pacedChunks(image.chunks(), clock, savingPace)) {
        if (isClosed()) throw new Error("The member stops");
        bytes += chunk.length;
        yield chunk;
      }
    };
    try {
      await logStore.saveSnapshot(meta, counted());
    } catch (error) {
      if (this.closed) return;
      // The log still holds everything. If the disk as a whole has failed, the next append says so.
      logger.warn("snapshot was not saved", { index: meta.index, error: asError(error) });
      return;
    } finally {
      image.close();
    }
    if (this.closed || this.savedIndex >= meta.index) return;
    this.savedIndex = meta.index;
    this.policy.ended(bytes);
    core.snapshotSaved(meta);
    const keptFrom = Math.max(meta.index - catchUpEntries, 0);
    if (keptFrom > 0) core.compact(keptFrom);
    // A member that starts again is to find little more than the window.
    const compactTo = Math.max(keptFrom, Math.min(this.window.forgotten, meta.index));
    if (compactTo > 0) await logStore.compact(compactTo);
    logger.info("saved a snapshot", { index: meta.index, term: meta.term, compactedTo: compactTo });
    this.options.onProgress();
  }

  /** The log in memory begins behind the newest snapshot. Nothing is sent: the core asks again, and by then there is a newer one. */
  private async renew(): Promise<false> {
    if (this.saving === null) {
      this.isWanted = true;
      if (!this.options.isApplying()) this.take();
    }
    await this.saving;
    return false;
  }

  private async transfer(message: InstallSnapshot): Promise<true> {
    const reader = await this.options.logStore.readSnapshot();
    if (reader === null) throw new Error("There is no snapshot to send");
    try {
      await this.options.transport.sendSnapshot({ ...message, snapshot: reader.meta }, reader.sizeBytes, reader.chunks());
    } finally {
      await reader.close();
    }
    return true;
  }

  private sent(message: InstallSnapshot, stored: boolean): void {
    this.sending.delete(message.to);
    if (this.closed) return;
    this.options.core.reportSnapshot(message.to, stored);
    this.options.onProgress();
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
