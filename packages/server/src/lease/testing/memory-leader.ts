import { create, encodeRequestCommand, etcdserverpb, toBinary } from "@raftkv/api";
import type { LogIndex } from "@raftkv/raft-core";
import { type Clock, type Completion, NodeError } from "@raftkv/raft-node";
import { MemberDirectory } from "../../cluster/member-directory.ts";
import type { ApplyResult } from "../../state/apply-result.ts";
import { ReplicatedState } from "../../state/replicated-state.ts";
import type { LeaderNode } from "../leader-node.ts";

interface Proposal {
  readonly command: Uint8Array;
  readonly completion: Completion<ApplyResult>;
}

/** A log of one member in memory: what is proposed is applied at the end of the turn, under the term of that moment. */
export class MemoryLeader implements LeaderNode {
  readonly state = new ReplicatedState(new MemberDirectory([]), 1);
  isLeader = false;
  term = 1;
  /** Nothing is committed or confirmed, as without a majority. */
  isAlone = false;
  /** Leadership is confirmed though nothing is committed. */
  confirms = false;
  /** Commands that were applied. */
  readonly applied: Uint8Array[] = [];
  private readonly clock: Clock;
  private index = 1;
  private proposals: Proposal[] = [];
  private reads: Completion<LogIndex>[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  status(): { readonly role: string; readonly term: number } {
    return { role: this.isLeader ? "leader" : "follower", term: this.term };
  }

  /** Leads in a new term. */
  lead(): void {
    this.term++;
    this.isLeader = true;
  }

  stepDown(): void {
    this.isLeader = false;
  }

  read(completion: Completion<LogIndex>): void {
    this.reads.push(completion);
    this.clock.atEndOfTurn(() => this.turn());
  }

  submit(command: Uint8Array, completion: Completion<ApplyResult>): void {
    this.proposals.push({ command, completion });
    this.clock.atEndOfTurn(() => this.turn());
  }

  grant(id: bigint, ttlSeconds: number): ApplyResult {
    const request = create(etcdserverpb.LeaseGrantRequestSchema, { ID: id, TTL: BigInt(ttlSeconds) });
    return this.apply(encodeRequestCommand("leaseGrant", toBinary(etcdserverpb.LeaseGrantRequestSchema, request)));
  }

  revoke(id: bigint): ApplyResult {
    const request = create(etcdserverpb.LeaseRevokeRequestSchema, { ID: id });
    return this.apply(encodeRequestCommand("leaseRevoke", toBinary(etcdserverpb.LeaseRevokeRequestSchema, request)));
  }

  /** A majority is there again. */
  rejoin(): void {
    this.isAlone = false;
    this.turn();
  }

  /** What waited is given up, as after the time of requests. */
  timeOut(): void {
    const error = new NodeError("ERR_TIMED_OUT", "maybe-applied", "No majority answered");
    const waiting = [...this.proposals.map(({ completion }) => completion), ...this.reads];
    this.proposals = [];
    this.reads = [];
    for (const completion of waiting) completion.fail(error);
  }

  private apply(command: Uint8Array): ApplyResult {
    this.index++;
    this.applied.push(command);
    return this.state.apply({ index: this.index, term: this.term, kind: "command", data: command }, command, this.index);
  }

  private turn(): void {
    if (this.isAlone && !this.confirms) return;
    const { reads } = this;
    const proposals = this.isAlone ? [] : this.proposals;
    if (!this.isAlone) this.proposals = [];
    this.reads = [];
    for (const { command, completion } of proposals) completion.succeed(this.apply(command));
    for (const completion of reads) completion.succeed(this.index);
  }
}
