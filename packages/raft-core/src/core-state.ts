import type { Leadership } from "./leadership.ts";
import { RaftLog } from "./log/raft-log.ts";
import { INDEX_MAX, TERM_MAX } from "./message-check.ts";
import { Outbox } from "./outbox.ts";
import type { VoteTally } from "./quorum/vote-tally.ts";
import { ForwardedReads } from "./reads/forwarded-reads.ts";
import type { Configuration, CoreOptions, CoreStart, NodeId, RandomSource, Term } from "./types.ts";

export type Role = { readonly kind: "follower" } | { readonly kind: "candidate"; readonly tally: VoteTally } | Leadership;

export const FOLLOWER: Role = { kind: "follower" };

/** What the parts of one core share. Roles change only in roles.ts. */
export class CoreState {
  readonly id: NodeId;
  readonly options: Required<CoreOptions>;
  readonly random: RandomSource;
  readonly log: RaftLog;
  readonly outbox = new Outbox();
  readonly forwardedReads: ForwardedReads;
  configuration: Configuration;
  term: Term;
  vote: NodeId;
  role: Role = FOLLOWER;
  /** 0 while nobody is known to lead this term. */
  leader: NodeId = 0;
  /** Ticks since this core was made. */
  now = 0;
  electionElapsed = 0;
  electionTimeout = 0;

  constructor(options: Required<CoreOptions>, start: CoreStart, random: RandomSource) {
    this.id = options.id;
    this.options = options;
    this.random = random;
    this.log = new RaftLog(start.snapshot, start.entries, start.hardState.commit);
    this.forwardedReads = new ForwardedReads(options.id, this.outbox, random);
    this.configuration = start.snapshot?.configuration ?? start.configuration;
    this.term = start.hardState.term;
    this.vote = start.hardState.vote;
  }

  /** Whether this member may ask for votes: a voter that is not about to replace its log, with a term and an index left to use. */
  get isElectable(): boolean {
    const hasRoom = this.term < TERM_MAX && this.log.lastIndex < INDEX_MAX;
    return hasRoom && this.configuration.voters.includes(this.id) && !this.log.isRestoring;
  }

  /** When a read that comes now is given up. */
  get readDeadline(): number {
    return this.now + 2 * this.options.electionTicks;
  }
}
