import type { HardState, LogEntry } from "@raftkv/raft-core";
import type { Clock, LogStoreMetrics, Timer } from "@raftkv/raft-node";
import type { BatchEncoder } from "./batch-encoder.ts";
import {
  COMMIT_PAYLOAD_BYTES,
  frameBytes,
  type LogRecord,
  MARK_PAYLOAD_BYTES,
  OPEN_PAYLOAD_BYTES,
  type OpenReason,
  type OpenRecord,
  type SnapshotMark,
} from "./frame.ts";
import { type LogOperation, operationBytes, recordBytes } from "./log-operation.ts";
import { assert, LogStoreError } from "./log-store-error.ts";
import { LogTail } from "./log-tail.ts";
import type { MetaFile } from "./meta-file.ts";
import type { Segment, SegmentSupply } from "./segment-supply.ts";
import type { TermRuns } from "./term-runs.ts";

/** OPEN and COMMIT, which any batch may need. */
const FIXED_BYTES = frameBytes(OPEN_PAYLOAD_BYTES) + frameBytes(COMMIT_PAYLOAD_BYTES);

interface Waiting {
  readonly operation: LogOperation;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (reason: LogStoreError) => void;
}

/** A segment on the chain, for compaction. */
export interface ChainLink {
  readonly number: number;
  /** Last log index before the segment. */
  readonly baseIndex: number;
}

export interface LogWriterOptions {
  readonly clock: Clock;
  readonly meta: MetaFile;
  readonly supply: SegmentSupply;
  readonly batchBytesMax: number;
  readonly queueBytesMax: number;
  /** A log that stood still for so long is sealed. */
  readonly sealIdleMs: number;
  readonly terms: TermRuns;
  readonly commitIndex: number;
  /** Segments before the first of this life, oldest first. */
  readonly chain: readonly ChainLink[];
  /** The one with the newest snapshot's mark, 0 for none. */
  readonly markSegment: number;
  /** Highest seq on the disk that still counts, its segment and its checksum; zeros for an empty log. */
  readonly tail: { readonly segment: number; readonly seq: number; readonly crc: number };
  /** Above every seq ever seen. */
  readonly nextSeq: number;
}

/** What the first segment of a life takes over from the one before. */
export interface FirstBatch {
  readonly reason: OpenReason;
  readonly baseIndex: number;
  readonly baseTerm: number;
  /** What came after the tail without proof that it is durable: it is written again, to fresh blocks. */
  readonly records: readonly Exclude<LogRecord, OpenRecord>[];
}

/**
 * Writes the log: one batch, one durable write in flight; everything that waits meanwhile makes the next batch.
 * ```
 * append ──► queue ──► meta if term or vote is new ──► [next segment] ──► write durably ──► resolve all
 *              ▲                                                                │
 *              └──────────────── what came in meanwhile, up to batchBytesMax ◄──┘
 * ```
 * When nothing came for `sealIdleMs`, and at close, a seal proves the last batch. The first failure is final: what waits and what comes
 * later rejects, nothing is tried again.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #tail: LogTail;
  readonly #queue: Waiting[] = [];
  readonly #chain: ChainLink[];
  #queueBytes = 0;
  #running: Promise<void> | null = null;
  #sealTimer: Timer | null = null;
  #sealIsDue = false;
  #failure: LogStoreError | null = null;
  #isFailureTold = false;
  #commitIndex: number;
  #markSegment: number;
  /** Commit index after everything that waits. */
  #queuedCommitIndex: number;

  constructor(options: LogWriterOptions) {
    const { clock, terms, tail: before, nextSeq } = options;
    this.#options = options;
    this.#tail = new LogTail({ clock, terms, before, nextSeq });
    this.#chain = [...options.chain];
    this.#commitIndex = options.commitIndex;
    this.#queuedCommitIndex = options.commitIndex;
    this.#markSegment = options.markSegment;
  }

  /** Oldest first; the last one is being written. */
  get chain(): readonly ChainLink[] {
    return this.#chain;
  }

  get metrics(): LogStoreMetrics {
    return this.#tail.metrics;
  }

  get failure(): LogStoreError | null {
    return this.#failure;
  }

  /** Begins the first segment of this life. Must have resolved before anything else is written. */
  async begin(first: FirstBatch): Promise<void> {
    try {
      await this.#begin(first);
    } catch (reason) {
      this.fail(reason);
      throw reason;
    }
  }

  async #begin({ reason, baseIndex, baseTerm, records }: FirstBatch): Promise<void> {
    const { tail, supply } = this.#options;
    const bytes = records.reduce((sum, record) => sum + recordBytes(record), 0);
    const segment = await supply.take(FIXED_BYTES + bytes);
    this.#enter(segment, baseIndex);
    const batch = this.#tail.begin();
    batch.addOpen({ type: "open", reason, previousSegment: tail.segment, previousSeq: tail.seq, baseIndex, baseTerm });
    for (const record of records) {
      if (record.type === "entry") batch.addEntry(record.entry);
      else if (record.type === "truncate") batch.addTruncate(record.index, record.term);
      else batch.addMark(record);
    }
    await this.#tail.write(this.#commitIndex);
    // The segment that these records come from may be removed next: from then on they must be proven here.
    if (records.length > 0) await this.#tail.seal(this.#commitIndex);
    else this.#sealWhenIdle();
    if (records.some((record) => record.type === "mark")) this.#markSegment = segment.number;
  }

  /** Resolves when the operation is durable. */
  run(operation: LogOperation): Promise<void> {
    return new Promise((resolve, reject) => {
      const bytes = operationBytes(operation);
      if (this.#failure !== null) {
        reject(this.#refusal(this.#failure));
        return;
      }
      this.#queue.push({ operation, bytes, resolve, reject });
      this.#queueBytes += bytes;
      try {
        this.#admit(operation);
        this.#running ??= this.#drain();
      } catch (reason) {
        this.fail(reason);
      }
    });
  }

  /** Checks what is known before the operation's turn comes. */
  #admit(operation: LogOperation): void {
    const { queueBytesMax } = this.#options;
    if (this.#queueBytes > queueBytesMax) {
      throw new LogStoreError("ERR_QUEUE_FULL", `${this.#queueBytes} bytes wait for the disk, more than queueBytesMax ${queueBytesMax}`);
    }
    if (operation.type === "append") {
      const { entries, hardState } = operation.batch;
      assert((entries[0]?.index ?? Infinity) > this.#queuedCommitIndex, "Committed entries are never replaced");
      this.#queuedCommitIndex = Math.max(this.#queuedCommitIndex, hardState?.commit ?? 0);
    } else if (operation.type === "install") {
      this.#queuedCommitIndex = Math.max(this.#queuedCommitIndex, operation.mark.index);
    }
  }

  /** Makes `reason` final. */
  fail(reason: unknown): void {
    this.#failure ??= LogStoreError.from(reason, "write the log");
    this.#reject(this.#queue.splice(0), this.#failure);
    this.#queueBytes = 0;
  }

  #reject(waiting: readonly Waiting[], failure: LogStoreError): void {
    if (waiting.length > 0) this.#isFailureTold = true;
    for (const { reject } of waiting) reject(failure);
  }

  /** For what comes after the failure. Whoever is the first to hear of it is told all: nothing may have waited when it happened. */
  #refusal(failure: LogStoreError): LogStoreError {
    if (this.#isFailureTold) {
      return new LogStoreError("ERR_STORAGE_FAILED", `Storage failed before and is not used again: ${failure.message}`, { cause: failure });
    }
    this.#isFailureTold = true;
    return failure;
  }

  /** Forgets the segments that hold nothing after `index`. The one with the newest snapshot's mark stays, whatever its entries. */
  forget(index: number): void {
    const at = this.#chain.findLastIndex(
      ({ baseIndex, number }) => baseIndex <= index && (number <= this.#markSegment || this.#markSegment === 0),
    );
    if (at > 0) this.#chain.splice(0, at);
    const base = this.#chain[0]?.baseIndex ?? 0;
    if (base <= this.#options.terms.lastIndex) this.#options.terms.compact(base);
  }

  /** Waits for what is under way, seals the log and closes the segment. */
  async close(): Promise<void> {
    this.#sealTimer?.cancel();
    this.#sealIsDue = true;
    this.#running ??= this.#drain();
    await this.#running;
    await this.#options.supply.close();
    await this.#tail.close();
  }

  async #drain(): Promise<void> {
    while (this.#failure === null) {
      if (this.#queue.length > 0) await this.#writeNext();
      else if (this.#sealIsDue) await this.#writeDueSeal();
      else break;
    }
    this.#running = null;
    this.#sealWhenIdle();
  }

  async #writeNext(): Promise<void> {
    const group = this.#takeGroup();
    try {
      await this.#writeGroup(group);
      if (this.#failure !== null) throw this.#failure;
      for (const waiting of group) waiting.resolve();
    } catch (reason) {
      this.fail(reason);
      this.#reject(group, this.#failure ?? LogStoreError.from(reason, "write the log"));
    }
  }

  /** One timer at a time: while batches come it is set once in `sealIdleMs`, not once for each. */
  #sealWhenIdle(): void {
    if (!this.#tail.isUnsealed || this.#sealTimer !== null || this.#failure !== null) return;
    const { clock, sealIdleMs } = this.#options;
    this.#sealTimer = clock.setTimer(Math.max(0, this.#tail.lastWriteMs + sealIdleMs - clock.monotonicMs()), () => {
      this.#sealTimer = null;
      // A write that is under way sets the timer again when it is done.
      if (this.#running !== null) return;
      if (clock.monotonicMs() < this.#tail.lastWriteMs + sealIdleMs) return this.#sealWhenIdle();
      this.#sealIsDue = true;
      this.#running = this.#drain();
    });
  }

  async #writeDueSeal(): Promise<void> {
    this.#sealIsDue = false;
    if (!this.#tail.isUnsealed) return;
    try {
      await this.#tail.seal(this.#commitIndex);
    } catch (reason) {
      this.fail(reason);
    }
  }

  /** What goes into one batch. What begins a segment stands alone. */
  #takeGroup(): readonly Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const waiting of this.#queue) {
      const alone = waiting.operation.type === "install" || waiting.operation.type === "commit";
      if (count > 0 && (alone || bytes + waiting.bytes > this.#options.batchBytesMax)) break;
      count += 1;
      bytes += waiting.bytes;
      if (alone) break;
    }
    this.#queueBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  /** Waits for nothing without need: mostly the bytes are on their way to the disk before the caller goes on. */
  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    const operations = group.map((waiting) => waiting.operation);
    const vote = this.#takeHardState(operations);
    // Term and vote first: no entry may be on the disk whose term the meta file does not know.
    if (vote !== null) await this.#options.meta.update(vote);
    const [first] = operations;
    if (first?.type === "install") {
      await first.rename();
      return this.#install(first.mark);
    }
    if (first?.type === "commit") {
      // A batch needs something to say; the first one of a segment always has.
      await this.#nextSegment(FIXED_BYTES);
      return this.#tail.write(this.#commitIndex);
    }
    const bytes = group.reduce((sum, waiting) => sum + waiting.bytes, 0);
    // A commit index alone is a hint and goes with the next batch.
    if (bytes === 0) return;
    const batch = this.#tail.holds(FIXED_BYTES + bytes) ? this.#tail.begin() : await this.#nextSegment(FIXED_BYTES + bytes);
    for (const operation of operations) {
      if (operation.type === "append") this.#addEntries(batch, operation.batch.entries);
      else if (operation.type === "mark") this.#addOwnMark(batch, operation.mark);
    }
    await this.#tail.write(this.#commitIndex);
    if (operations.some((operation) => operation.type === "mark")) this.#markSegment = this.#tail.segment?.number ?? 0;
    this.#options.supply.prepareAhead((reason) => this.fail(reason));
  }

  /** Takes over the newest commit index. Returns term and vote if the meta file does not have them. */
  #takeHardState(operations: readonly LogOperation[]): Pick<HardState, "term" | "vote"> | null {
    const { durable } = this.#options.meta;
    let newest: HardState | null = null;
    for (const operation of operations) {
      const hardState = operation.type === "append" ? operation.batch.hardState : operation.type === "install" ? operation.hardState : null;
      if (hardState === null) continue;
      assert(hardState.term >= (newest ?? durable).term, "The term never goes back");
      newest = hardState;
      this.#commitIndex = Math.max(this.#commitIndex, hardState.commit);
    }
    if (newest === null || (newest.term === durable.term && newest.vote === durable.vote)) return null;
    return { term: newest.term, vote: newest.vote };
  }

  #addEntries(batch: BatchEncoder, entries: readonly LogEntry[]): void {
    const { terms, meta } = this.#options;
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index <= terms.lastIndex + 1, "Entries follow the log without a gap");
    if (first.index <= terms.lastIndex) {
      terms.truncate(first.index - 1);
      batch.addTruncate(terms.lastIndex, terms.lastTerm);
    }
    for (const entry of entries) {
      assert(entry.term <= meta.durable.term, "No entry has a term above the hard state's");
      batch.addEntry(entry);
      terms.append(entry.index, entry.term);
    }
  }

  #addOwnMark(batch: BatchEncoder, mark: SnapshotMark): void {
    const { terms } = this.#options;
    assert(mark.index <= terms.lastIndex, "A snapshot of the own state stands within the log");
    assert(mark.term === terms.termAt(mark.index), "A snapshot names the term of its index");
    batch.addMark(mark);
  }

  async #install(mark: SnapshotMark): Promise<void> {
    const { terms, supply, meta } = this.#options;
    assert(mark.term <= meta.durable.term, "No snapshot has a term above the hard state's");
    const segment = await supply.take(FIXED_BYTES + frameBytes(MARK_PAYLOAD_BYTES));
    const open = this.#openAfter("install", mark.index, mark.term);
    await this.#tail.close();
    this.#enter(segment, mark.index);
    terms.reset(mark.index, mark.term);
    const batch = this.#tail.begin();
    batch.addOpen(open);
    batch.addMark(mark);
    await this.#tail.write(this.#commitIndex);
    this.#markSegment = segment.number;
  }

  async #nextSegment(bytes: number): Promise<BatchEncoder> {
    const { terms, supply } = this.#options;
    const next = await supply.take(bytes);
    const open = this.#openAfter("rotate", terms.lastIndex, terms.lastTerm);
    await this.#tail.close();
    this.#enter(next, terms.lastIndex);
    const batch = this.#tail.begin();
    batch.addOpen(open);
    return batch;
  }

  #openAfter(reason: OpenReason, baseIndex: number, baseTerm: number): OpenRecord {
    const { segment, lastSeq } = this.#tail;
    return { type: "open", reason, previousSegment: segment?.number ?? 0, previousSeq: lastSeq, baseIndex, baseTerm };
  }

  #enter(segment: Segment, baseIndex: number): void {
    this.#tail.enter(segment);
    this.#chain.push({ number: segment.number, baseIndex });
  }
}
