import type { HardState, LogEntry, LogIndex, QuarantineEvidence, SnapshotMeta } from "@raftkv/raft-core";
import type { LogBatch, LogStore, LogStoreMetrics, LostEntries, RecoveredLog, SnapshotReader } from "../log-store.ts";

interface StoredSnapshot {
  readonly meta: SnapshotMeta;
  readonly bytes: Uint8Array;
}

/** A log store without a disk: whatever was written is durable at once, unless the test holds it up. */
export class MemoryLogStore implements LogStore {
  readonly storeId = 1n;
  private hardState: HardState = { term: 0, vote: 0, commit: 0 };
  private entries: LogEntry[] = [];
  private quarantine: QuarantineEvidence | null = null;
  private received: StoredSnapshot | null = null;
  private gate: Promise<void> = Promise.resolve();
  private openGate: () => void = () => {};
  /** The newest one in force. */
  snapshot: StoredSnapshot | null = null;

  /** What damage took, as a test decides. */
  lost: LostEntries | null = null;
  private batches = 0;

  get recovered(): RecoveredLog {
    const { hardState, entries, quarantine, lost } = this;
    return { hardState, snapshot: this.snapshot?.meta ?? null, entries, quarantine, lost };
  }

  /** Nothing becomes durable until `release`. */
  hold(): void {
    this.gate = new Promise((resolve) => {
      this.openGate = resolve;
    });
  }

  release(): void {
    this.openGate();
  }

  async append({ hardState, entries }: LogBatch): Promise<void> {
    await this.gate;
    this.batches++;
    this.hardState = hardState ?? this.hardState;
    const [first] = entries;
    if (first !== undefined) this.entries = [...this.entries.filter(({ index }) => index < first.index), ...entries];
  }

  async saveSnapshot(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.snapshot = { meta, bytes: await joined(chunks) };
  }

  async receiveSnapshot(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.received = { meta, bytes: await joined(chunks) };
  }

  async installSnapshot(meta: SnapshotMeta, hardState: HardState | null): Promise<void> {
    await this.gate;
    if (this.received?.meta.index !== meta.index) throw new Error(`Snapshot ${meta.index} was not received`);
    this.snapshot = this.received;
    this.received = null;
    this.hardState = hardState ?? this.hardState;
    this.entries = [];
  }

  discardSnapshot(): Promise<void> {
    this.received = null;
    return Promise.resolve();
  }

  readSnapshot(): Promise<SnapshotReader | null> {
    const { snapshot } = this;
    if (snapshot === null) return Promise.resolve(null);
    const { meta, bytes } = snapshot;
    return Promise.resolve({ meta, sizeBytes: bytes.length, chunks: () => once(bytes), close: () => Promise.resolve() });
  }

  compact(index: LogIndex): Promise<void> {
    this.entries = this.entries.filter((entry) => entry.index > index);
    return Promise.resolve();
  }

  recordQuarantine(evidence: QuarantineEvidence): Promise<void> {
    this.quarantine ??= evidence;
    return Promise.resolve();
  }

  endRepair(): Promise<void> {
    this.lost = null;
    return Promise.resolve();
  }

  /** Counts the appends and nothing else. */
  metrics(): LogStoreMetrics {
    const writeMs = { boundsMs: [], counts: [this.batches], sumMs: 0 };
    return { batches: this.batches, entries: 0, bytes: 0, writeMs, writeAgeMs: 0 };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const bytes: number[] = [];
  for await (const chunk of chunks) bytes.push(...chunk);
  return Uint8Array.from(bytes);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
