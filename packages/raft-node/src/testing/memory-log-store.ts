import type { HardState, LogEntry, LogIndex, QuarantineEvidence, SnapshotMeta } from "@raftkv/raft-core";
import type { LogBatch, LogStore, LogStoreMetrics, LostEntries, RecoveredLog, SnapshotReader } from "../log-store.ts";

interface StoredSnapshot {
  readonly meta: SnapshotMeta;
  readonly bytes: Uint8Array;
}

/** A log store without a disk: whatever was written is durable at once, unless the test holds it up. */
export class MemoryLogStore implements LogStore {
  readonly storeId = 1n;
  /** Of its disk, as a test has it. */
  failure: Error | null = null;
  private readonly monotonicMs: () => number;
  private hardState: HardState = { term: 0, vote: 0, commit: 0 };
  private entries: LogEntry[] = [];
  private quarantine: QuarantineEvidence | null = null;
  private received: StoredSnapshot | null = null;
  private gate: Promise<void> = Promise.resolve();
  private openGate: () => void = () => {};
  /** What its log behind the snapshot takes, as a test has it. */
  logBytes = 0;
  /** What each append takes from now on. */
  appendBytes = 0;
  /** Newest entries that a start finds in memory; all of them as long as nothing else is said. */
  recoveredMax = Infinity;
  /** The newest one in force. */
  snapshot: StoredSnapshot | null = null;

  private lost: LostEntries | null = null;
  private batches = 0;
  private bytes = 0;
  /** When the appends that wait were made. */
  private readonly waitingSinceMs = new Set<{ readonly startMs: number }>();

  /** Without a clock the age of what is held up is not known. */
  constructor(monotonicMs: () => number = () => 0) {
    this.monotonicMs = monotonicMs;
  }

  get recovered(): RecoveredLog {
    const { hardState, quarantine, lost } = this;
    const { replay, entries } = this.dividedLog();
    return { hardState, snapshot: this.snapshot?.meta ?? null, replay, entries, logBytes: this.logBytes, quarantine, lost };
  }

  /** As a store does that holds only so many entries in memory: what is committed before them is replayed. */
  private dividedLog(): Pick<RecoveredLog, "replay" | "entries"> {
    const { entries, hardState, snapshot, quarantine, lost } = this;
    const isWhole = snapshot === null || quarantine !== null || lost !== null;
    const behindSnapshot = entries.filter(({ index }) => index > (snapshot?.meta.index ?? 0));
    const heldFrom = isWhole ? 0 : Math.max(behindSnapshot.length - this.recoveredMax, 0);
    const replayed = behindSnapshot.slice(0, heldFrom).filter(({ index }) => index <= hardState.commit);
    const last = replayed.at(-1);
    if (last === undefined) return { replay: null, entries };
    return { replay: { last, entries: () => oneByOne(replayed) }, entries: entries.filter(({ index }) => index > last.index) };
  }

  /** They are what it stores. */
  releaseRecovered(): void {}

  /** Nothing becomes durable until `release`. */
  hold(): void {
    this.gate = new Promise((resolve) => {
      this.openGate = resolve;
    });
  }

  release(): void {
    this.openGate();
  }

  /** While the member is stopped, damage takes the entries from `from` on; neither term nor vote. */
  loseEntries(from: LogIndex): void {
    this.entries = this.entries.filter(({ index }) => index < from);
    this.hardState = { ...this.hardState, commit: Math.min(this.hardState.commit, from - 1) };
    this.lost = { from, description: "a test says so" };
  }

  /** As `loseEntries`, of all of them and the snapshot. */
  loseEverything(): void {
    this.snapshot = null;
    this.loseEntries(1);
  }

  /** Damage takes term and vote, and with them every trust. */
  loseMeta(): void {
    this.hardState = { term: 0, vote: 0, commit: 0 };
    this.entries = [];
    this.snapshot = null;
    this.quarantine = { kind: "storage", description: "a test says so" };
  }

  async append({ hardState, entries }: LogBatch): Promise<void> {
    const waiting = { startMs: this.monotonicMs() };
    this.waitingSinceMs.add(waiting);
    await this.gate;
    this.waitingSinceMs.delete(waiting);
    this.batches++;
    this.bytes += this.appendBytes;
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

  /** Counts the appends, and knows how long the oldest one waits. */
  metrics(): LogStoreMetrics {
    const writeMs = { boundsMs: [], counts: [this.batches], sumMs: 0 };
    const [oldest] = this.waitingSinceMs;
    const writeAgeMs = oldest === undefined ? 0 : this.monotonicMs() - oldest.startMs;
    return { batches: this.batches, entries: 0, bytes: this.bytes, writeMs, writeAgeMs };
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

async function* oneByOne(entries: readonly LogEntry[]): AsyncGenerator<readonly LogEntry[]> {
  for (const entry of entries) yield await Promise.resolve([entry]);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
