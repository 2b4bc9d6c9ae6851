import { assert } from "./assert.ts";
import type { CoreState } from "./core-state.ts";
import { payloadBytes } from "./log/raft-log.ts";
import type { AppendJob, ApplyJob, HardState, Ready, SoftState } from "./types.ts";

/**
 * What the driver was given and has not answered yet. Appends become durable in order and entries are applied in order; the two
 * queues know nothing of each other.
 */
export class HandOut {
  private readonly state: CoreState;
  private reportedHard: HardState;
  private reportedSoft: SoftState;
  private readonly appends: { readonly job: AppendJob; readonly replacements: number }[] = [];
  private readonly applies: { readonly job: ApplyJob; readonly bytes: number }[] = [];
  private applyingBytes = 0;

  constructor(state: CoreState) {
    this.state = state;
    this.reportedHard = { term: state.term, vote: state.vote, commit: state.log.commit };
    this.reportedSoft = { role: state.role.kind, leader: state.leader };
  }

  /** Undefined if there is nothing to do. */
  next(): Ready | undefined {
    const softState = this.nextSoftState();
    const append = this.nextAppend();
    const apply = this.nextApply();
    const messages = this.state.outbox.takeImmediate();
    const reads = this.state.outbox.takeReads();
    if (softState === null && append === null && apply === null && messages.length === 0 && reads.length === 0) return undefined;
    return { softState, messages, append, apply, reads };
  }

  /** Whether the job still speaks for the log: no entries gave way to others since it was handed out. */
  appendDone(job: AppendJob): boolean {
    const oldest = this.appends[0];
    assert(oldest?.job === job, "Append jobs are finished in the order they were handed out");
    this.appends.shift();
    return oldest.replacements === this.state.log.replacements;
  }

  applyDone(job: ApplyJob): void {
    const oldest = this.applies.shift();
    assert(oldest?.job === job, "Apply jobs are finished in the order they were handed out");
    this.applyingBytes -= oldest.bytes;
  }

  private nextSoftState(): SoftState | null {
    const { role, leader } = this.state;
    if (role.kind === this.reportedSoft.role && leader === this.reportedSoft.leader) return null;
    this.reportedSoft = { role: role.kind, leader };
    return this.reportedSoft;
  }

  private nextAppend(): AppendJob | null {
    const { log, outbox, term, vote } = this.state;
    const reported = this.reportedHard;
    const isVoteNew = term !== reported.term || vote !== reported.vote;
    const isHardStateNew = isVoteNew || log.commit !== reported.commit;
    if (!isHardStateNew && !outbox.hasGated && !log.hasUnstable()) return null;
    if (isHardStateNew) this.reportedHard = { term, vote, commit: log.commit };
    const snapshot = log.handOutSnapshot();
    const entries = log.handOutUnstable();
    const job: AppendJob = {
      hardState: isHardStateNew ? this.reportedHard : null,
      entries,
      snapshot,
      messages: outbox.takeGated(),
      mustSync: isVoteNew || entries.length > 0 || snapshot !== null,
      acknowledges: { term, lastIndex: log.lastIndex, lastTerm: log.lastTerm },
    };
    this.appends.push({ job, replacements: log.replacements });
    return job;
  }

  private nextApply(): ApplyJob | null {
    const { log, options } = this.state;
    const room = options.applyBytesMax - this.applyingBytes;
    if (room <= 0 || !log.hasCommitted()) return null;
    const entries = log.handOutCommitted(room);
    const job: ApplyJob = { entries };
    const bytes = payloadBytes(entries);
    this.applies.push({ job, bytes });
    this.applyingBytes += bytes;
    return job;
  }
}
