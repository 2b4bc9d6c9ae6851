import { assert } from "./assert.ts";
import type { CoreState } from "./core-state.ts";
import type { AppendAcknowledgement, AppendJob, ApplyJob, Ready } from "./ready.ts";
import type { HardState, LogEntry, SnapshotMeta, SoftState } from "./types.ts";

/** What an entry costs besides its data, in the budget of what is being applied: empty entries take time too. */
const ENTRY_COST_BYTES = 8;

/**
 * What the driver was given and has not answered yet. Appends become durable in order and entries are applied in order; the two
 * queues know nothing of each other.
 */
export class HandOut {
  private readonly state: CoreState;
  private reportedHard: HardState;
  private reportedSoft: SoftState;
  private readonly appends: AppendJob[] = [];
  private readonly applies: { readonly job: ApplyJob; readonly cost: number }[] = [];
  private applyingCost = 0;
  /** Set when the budget was reached, until something is acknowledged. */
  private isApplyPaused = false;

  constructor(state: CoreState) {
    this.state = state;
    this.reportedHard = { term: state.term, vote: state.vote, commit: state.log.commit };
    this.reportedSoft = { role: state.role.kind, leader: state.leader };
  }

  get hasNext(): boolean {
    const { outbox } = this.state;
    return outbox.hasImmediate || outbox.hasReads || this.isSoftStateNew || this.hasAppend || this.hasApply || this.isRepairDone;
  }

  /** Undefined if there is nothing to do. */
  next(): Ready | undefined {
    if (!this.hasNext) return undefined;
    const { outbox } = this.state;
    const softState = this.nextSoftState();
    const append = this.hasAppend ? this.nextAppend() : null;
    const apply = this.hasApply ? this.nextApply() : null;
    const isRepaired = this.isRepairDone;
    if (isRepaired) this.state.repair?.told();
    return { softState, messages: outbox.takeImmediate(), append, apply, reads: outbox.takeReads(), isRepaired };
  }

  appendDone(job: AppendJob): void {
    assert(this.appends[0] === job, "Append jobs are finished in the order they were handed out");
    this.appends.shift();
    if (job.hardState !== null) this.state.repair?.commitStored(job.hardState.commit);
  }

  applyDone(job: ApplyJob): void {
    const oldest = this.applies[0];
    assert(oldest?.job === job, "Apply jobs are finished in the order they were handed out");
    this.applies.shift();
    this.applyingCost -= oldest.cost;
    this.isApplyPaused = this.applyingCost >= this.state.options.applyBytesMax;
  }

  private get isSoftStateNew(): boolean {
    const { role, leader } = this.state;
    return role.kind !== this.reportedSoft.role || leader !== this.reportedSoft.leader;
  }

  private get isVoteNew(): boolean {
    const { term, vote } = this.state;
    return term !== this.reportedHard.term || vote !== this.reportedHard.vote;
  }

  private get hasAppend(): boolean {
    const { log, outbox, quarantine } = this.state;
    if (quarantine !== null) return false;
    return this.isVoteNew || log.commit !== this.reportedHard.commit || outbox.hasGated || log.hasUnstable;
  }

  private get isRepairDone(): boolean {
    const { repair, quarantine, log } = this.state;
    return repair !== null && quarantine === null && repair.isDone(log);
  }

  private get hasApply(): boolean {
    return this.state.quarantine === null && !this.isApplyPaused && this.state.log.hasCommitted(this.withUndurable);
  }

  private get withUndurable(): boolean {
    return this.state.options.reference.applyBeforeDurable;
  }

  private nextSoftState(): SoftState | null {
    if (!this.isSoftStateNew) return null;
    this.reportedSoft = { role: this.state.role.kind, leader: this.state.leader };
    return this.reportedSoft;
  }

  private nextAppend(): AppendJob {
    const { log, outbox, term, vote, repair } = this.state;
    const isVoteNew = this.isVoteNew;
    const isHardStateNew = isVoteNew || log.commit !== this.reportedHard.commit;
    if (isHardStateNew) this.reportedHard = { term, vote, commit: log.commit };
    const snapshot = log.handOutSnapshot();
    const acknowledges = this.acknowledgement(snapshot);
    const entries = log.handOutUnstable();
    const job: AppendJob = {
      hardState: isHardStateNew ? this.reportedHard : null,
      entries,
      snapshot,
      messages: outbox.takeGated(),
      // The end of a repair waits for the commit index too.
      mustSync: isVoteNew || entries.length > 0 || snapshot !== null || (isHardStateNew && repair !== null),
      acknowledges,
    };
    this.appends.push(job);
    return job;
  }

  /** Speaks for the whole tail, also for what earlier jobs hold: they may have been of a term that is over. */
  private acknowledgement(snapshot: SnapshotMeta | null): AppendAcknowledgement | null {
    const { log, term } = this.state;
    if (log.durable < log.lastIndex) return { term, lastIndex: log.lastIndex, lastTerm: log.lastTerm, snapshot };
    return snapshot === null ? null : { term, lastIndex: 0, lastTerm: 0, snapshot };
  }

  private nextApply(): ApplyJob {
    const { log, options } = this.state;
    const entries = log.handOutCommitted(options.applyBytesMax - this.applyingCost, this.withUndurable, ENTRY_COST_BYTES);
    const job: ApplyJob = { entries };
    const cost = costOf(entries);
    this.applies.push({ job, cost });
    this.applyingCost += cost;
    this.isApplyPaused = this.applyingCost >= options.applyBytesMax || log.hasCommitted(this.withUndurable);
    return job;
  }
}

function costOf(entries: readonly LogEntry[]): number {
  let cost = 0;
  for (const entry of entries) cost += entry.data.length + ENTRY_COST_BYTES;
  return cost;
}
