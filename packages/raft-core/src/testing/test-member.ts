import { decodeChange } from "../membership/change-codec.ts";
import { applyChange } from "../membership/changer.ts";
import type { InstallSnapshot, PeerMessage } from "../messages.ts";
import type { CoreOptions } from "../options.ts";
import { RaftCore } from "../raft-core.ts";
import type { AppendJob, ApplyJob, Ready } from "../ready.ts";
import type {
  Configuration,
  ConfigurationChange,
  CoreStatus,
  HardState,
  LogEntry,
  LogIndex,
  NodeId,
  QuarantineEvidence,
  RandomSource,
  ReadResult,
  SnapshotMeta,
  StepRejection,
  Term,
} from "../types.ts";
import type { DurableView, ObservedMember } from "./observed-member.ts";
import { EMPTY_HISTORY, extendHistory, type HistoryHash, ShadowLog } from "./shadow-log.ts";

export const NO_HARD_STATE: HardState = { term: 0, vote: 0, commit: 0 };

/** How much of a job is on the disk when it is cut short. */
export type TornJob = "nothing" | "vote" | "snapshot";

interface StoredSnapshot {
  readonly meta: SnapshotMeta;
  readonly state: HistoryHash;
}

/** What a disk held at some moment, but for term and vote. */
interface DiskContents {
  readonly log: ShadowLog;
  readonly snapshot: StoredSnapshot | null;
}

/** What damage leaves of a disk. */
export interface Damage {
  /** How many rewritings of the log come back undone, 0 for none. */
  readonly undone: number;
  /** How many entries are left after the snapshot. */
  readonly entriesKept: number;
}

/** Rewritings of the log that damage can undo; besides, it may leave nothing but what the member began with. */
const REWRITINGS_MAX = 3;

export interface MemberStart {
  readonly options: CoreOptions;
  readonly configuration: Configuration;
  readonly random: RandomSource;
  readonly hardState?: HardState;
  readonly entries?: readonly LogEntry[];
  /** It begins under repair. Default false. */
  readonly isDamaged?: boolean;
}

/**
 * A driver in miniature: a core, a disk that loses what was not synced, and a state machine that is the hash of what it applied.
 * Nothing happens by itself: the test decides when the core is asked, when the disk is done and when an entry is applied.
 */
export class TestMember implements ObservedMember, DurableView {
  readonly id: NodeId;
  core: RaftCore;
  /** The core's log as far as it was handed out. */
  log = new ShadowLog();
  /** What a crash leaves. */
  disk = new ShadowLog();
  diskHardState: HardState;
  snapshot: StoredSnapshot | null = null;
  state: HistoryHash = EMPTY_HISTORY;
  stateIndex: LogIndex = 0;
  /** The members as of `stateIndex`. */
  configuration: Configuration;
  appends: AppendJob[] = [];
  applies: ApplyJob[] = [];
  readonly applied: LogEntry[] = [];
  readonly reads: ReadResult[] = [];
  /** The core has said that its repair is done, and the disk does not know it yet. */
  isRepaired = false;
  private readonly start: MemberStart;
  /** On the disk, beside term and vote: damage took entries that may have been acknowledged. */
  private isDamaged: boolean;
  /** Starts under repair, so that each has a number of its own. */
  private repairs = 0;
  /** What was on the disk before it was rewritten, the beginning first. */
  private readonly earlier: DiskContents[] = [];
  private readonly known: StoredSnapshot[] = [];
  private evidence: QuarantineEvidence | null = null;
  /** The next starts apply what is committed behind the snapshot before there is a core. */
  replaysAtStart = false;
  /** Written but not synced: the next sync takes it along, a crash may lose it. */
  private lazyHardState: HardState | null = null;

  constructor(start: MemberStart) {
    this.id = start.options.id;
    this.start = start;
    this.configuration = start.configuration;
    this.diskHardState = start.hardState ?? NO_HARD_STATE;
    this.isDamaged = start.isDamaged ?? false;
    this.disk.write(start.entries ?? []);
    this.log = this.disk.copy();
    this.rememberDisk();
    this.core = this.makeCore();
  }

  get durable(): DurableView {
    return this;
  }

  get hardState(): HardState {
    return this.diskHardState;
  }

  get stateHash(): HistoryHash {
    return this.state;
  }

  status(): CoreStatus {
    return this.core.status();
  }

  entryAt(index: LogIndex): LogEntry | undefined {
    return this.core.entryAt(index);
  }

  holds(index: LogIndex, term: Term): boolean {
    return index <= (this.snapshot?.meta.index ?? 0) || this.disk.termAt(index) === term;
  }

  /** Asks the core once. Jobs go to the queues; what may leave at once is returned. */
  collect(): Ready | undefined {
    const ready = this.core.ready();
    if (ready === undefined) return undefined;
    if (ready.append !== null) {
      this.remember(ready.append);
      this.appends.push(ready.append);
    }
    if (ready.apply !== null) this.applies.push(ready.apply);
    this.reads.push(...ready.reads);
    if (ready.isRepaired) this.isRepaired = true;
    return ready;
  }

  /** The oldest append job becomes durable; its messages to others are returned. A member in quarantine says nothing of it any more. */
  write(): readonly PeerMessage[] {
    const job = this.appends.shift();
    if (job === undefined) return [];
    this.store(job);
    if (job.snapshot !== null) {
      while (this.applies.length > 0) this.apply();
      if (this.snapshot === null) throw new Error("A snapshot job was stored without its snapshot");
      this.restoreState();
    }
    this.core.appended(job);
    if (this.core.quarantineEvidence !== null) return [];
    return job.messages.filter((message) => message.to !== this.id);
  }

  /** The oldest apply job is applied. */
  apply(): void {
    const job = this.applies.shift();
    if (job === undefined) return;
    for (const entry of job.entries) {
      this.applyToState(entry);
      if (entry.kind === "configuration") this.configuration = this.core.applyChange(changeIn(entry));
    }
    this.core.applied(job);
  }

  /** State at the index of a snapshot that this member saved or received, as it travels with `message`. */
  stateFor(message: PeerMessage): HistoryHash {
    return message.type === "installSnapshot" ? this.bytesOf(message.snapshot).state : EMPTY_HISTORY;
  }

  /** Gives the core a snapshot whose bytes, here one number, have arrived. */
  receiveSnapshot(message: InstallSnapshot, state: HistoryHash): StepRejection | null {
    this.known.push({ meta: message.snapshot, state });
    return this.core.step(message);
  }

  /** Takes what a member that keeps its promises sent: there is never a reason to refuse it. */
  receive(message: PeerMessage, state: HistoryHash): void {
    const rejection = message.type === "installSnapshot" ? this.receiveSnapshot(message, state) : this.core.step(message);
    if (rejection !== null) throw new Error(`Member ${this.id} refused ${message.type} of member ${message.from}: ${rejection}`);
  }

  /** Saves what was applied and forgets the log up to `trailing` entries before it. */
  takeSnapshot(trailing: number): void {
    const index = this.stateIndex;
    const term = this.log.termAt(index);
    const isRestoring = this.core.status().firstIndex > index + 1;
    if (term === undefined || isRestoring || index <= (this.snapshot?.meta.index ?? 0) || index > this.disk.lastIndex) return;
    this.rememberDisk();
    this.snapshot = { meta: { index, term, configuration: this.configuration }, state: this.state };
    this.known.push(this.snapshot);
    this.core.snapshotSaved(this.snapshot.meta);
    const compacted = Math.max(0, index - trailing);
    this.core.compact(compacted);
    this.log.compact(compacted);
    this.disk.compact(compacted);
  }

  /**
   * Power is cut and comes back. `jobs` of the waiting appends had reached the disk unnoticed, and the next one as far as `torn` says:
   * a disk keeps a job as a whole, but term and vote may be there before it, and a snapshot before the entries after it.
   */
  crash(jobs: number, keepsLazyWrites: boolean, torn: TornJob = "nothing"): void {
    for (const job of this.appends.slice(0, jobs)) this.store(job);
    const next = this.appends[jobs];
    if (next !== undefined) this.storeBeginning(next, torn);
    if (keepsLazyWrites) this.syncHardState(null);
    this.lazyHardState = null;
    this.appends = [];
    this.applies = [];
    this.evidence = this.core.quarantineEvidence;
    this.begin();
  }

  /** The store of a member in quarantine is put right, and the member trusted again. */
  releaseFromQuarantine(): void {
    this.crash(0, true);
    this.evidence = null;
    this.core = this.makeCore();
  }

  /** After a crash the disk proves to be damaged, except for term and vote. What it held until then, the member owes. */
  damage({ undone, entriesKept }: Damage): DurableView {
    const log = this.disk.copy();
    const snapshotIndex = this.snapshot?.meta.index ?? 0;
    const left = undone === 0 ? { log: this.disk, snapshot: this.snapshot } : this.earlier[Math.max(0, this.earlier.length - undone)];
    if (left === undefined) throw new Error("A disk held something in the beginning");
    this.disk = left.log.copy();
    this.snapshot = left.snapshot;
    this.disk.truncate(Math.max(this.disk.baseIndex, left.snapshot?.meta.index ?? 0) + entriesKept);
    this.isDamaged = true;
    this.begin();
    return { hardState: null, holds: (index, term) => index <= snapshotIndex || log.termAt(index) === term };
  }

  /** The disk knows that the repair is over. The core does not, and never will if power is cut before `endRepair`. */
  storeRepairEnd(): void {
    if (!this.isRepaired) throw new Error(`Member ${this.id} is not repaired`);
    this.isDamaged = false;
  }

  endRepair(): void {
    this.storeRepairEnd();
    this.isRepaired = false;
    this.core.endRepair();
  }

  private begin(): void {
    this.isRepaired = false;
    this.restoreState();
    this.log = this.disk.copy();
    this.core = this.makeCore();
  }

  private rememberDisk(): void {
    this.earlier.push({ log: this.disk.copy(), snapshot: this.snapshot });
    if (this.earlier.length > 1 + REWRITINGS_MAX) this.earlier.splice(1, 1);
  }

  private makeCore(): RaftCore {
    const { options, configuration, random } = this.start;
    const snapshot = this.snapshot?.meta ?? null;
    const { diskHardState: hardState, evidence: quarantine } = this;
    const repairId = this.isDamaged ? ++this.repairs : 0;
    const applied = this.replaysAtStart && repairId === 0 && quarantine === null ? this.replay() : null;
    const entries = this.disk.entries.filter(({ index }) => index > (applied?.index ?? 0));
    return new RaftCore(options, { hardState, snapshot, applied, entries, configuration, quarantine, repairId }, random);
  }

  /** Brings the state machine from the snapshot to the commit index; null if it stands there already, or there is no snapshot. */
  private replay(): SnapshotMeta | null {
    const committed = this.disk.entries.filter(({ index }) => index > this.stateIndex && index <= this.diskHardState.commit);
    const last = committed.at(-1);
    if (this.snapshot === null || last === undefined) return null;
    for (const entry of committed) {
      this.applyToState(entry);
      if (entry.kind === "configuration") {
        const result = applyChange(this.configuration, changeIn(entry));
        if (result.ok) this.configuration = result.configuration;
      }
    }
    return { index: last.index, term: last.term, configuration: this.configuration };
  }

  private applyToState(entry: LogEntry): void {
    if (entry.index !== this.stateIndex + 1) throw new Error(`Entry ${entry.index} is applied after ${this.stateIndex}`);
    this.state = extendHistory(this.state, entry);
    this.stateIndex = entry.index;
    this.applied.push(entry);
  }

  /** The state machine as the newest snapshot left it, or as it was in the beginning. */
  private restoreState(): void {
    this.state = this.snapshot?.state ?? EMPTY_HISTORY;
    this.stateIndex = this.snapshot?.meta.index ?? 0;
    this.configuration = this.snapshot?.meta.configuration ?? this.start.configuration;
  }

  private remember(job: AppendJob): void {
    if (job.snapshot !== null) this.log.restart(job.snapshot.index, job.snapshot.term, this.bytesOf(job.snapshot).state);
    this.log.write(job.entries);
  }

  private store(job: AppendJob): void {
    if (!job.mustSync) {
      this.lazyHardState = job.hardState ?? this.lazyHardState;
      return;
    }
    this.syncHardState(job.hardState);
    if (job.snapshot !== null) this.storeSnapshot(job.snapshot);
    const [first] = job.entries;
    if (first !== undefined && first.index <= this.disk.lastIndex) this.rememberDisk();
    this.disk.write(job.entries);
  }

  private storeBeginning({ hardState, snapshot }: AppendJob, torn: TornJob): void {
    if (torn === "snapshot" && snapshot !== null) {
      this.syncHardState(hardState);
      this.storeSnapshot(snapshot);
    } else if (torn !== "nothing" && hardState !== null) {
      this.diskHardState = { ...hardState, commit: this.diskHardState.commit };
    }
  }

  /** A sync makes durable whatever was written before. */
  private syncHardState(newest: HardState | null): void {
    this.diskHardState = newest ?? this.lazyHardState ?? this.diskHardState;
    this.lazyHardState = null;
  }

  private storeSnapshot(meta: SnapshotMeta): void {
    this.rememberDisk();
    this.snapshot = this.bytesOf(meta);
    this.disk.restart(meta.index, meta.term, this.snapshot.state);
  }

  private bytesOf(meta: SnapshotMeta): StoredSnapshot {
    const stored = this.known.find((snapshot) => snapshot.meta === meta);
    if (stored === undefined) throw new Error(`Snapshot ${meta.index} is not known here`);
    return stored;
  }
}

function changeIn(entry: LogEntry): ConfigurationChange {
  const change = decodeChange(entry.data);
  if (change === undefined) throw new Error(`Entry ${entry.index} is no configuration change`);
  return change;
}
