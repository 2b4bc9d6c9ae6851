import type { PeerMessage } from "../messages.ts";
import type { NodeId, Term } from "../types.ts";
import type { DurableView } from "./observed-member.ts";
import { violated } from "./violation.ts";

/** Every vote that anybody ever gave, over all restarts. One per member and term (paper 5.2). */
export class VoteRecord {
  private readonly votes = new Map<string, NodeId>();
  private hasHeard = false;

  /** Messages are listened to, so that no vote that counted is unknown. */
  get isComplete(): boolean {
    return this.hasHeard;
  }

  /** Whom the member voted for, undefined for nobody. */
  of(voter: NodeId, term: Term): NodeId | undefined {
    return this.votes.get(`${voter}/${term}`);
  }

  given(voter: NodeId, term: Term, candidate: NodeId): void {
    const key = `${voter}/${term}`;
    const before = this.votes.get(key);
    if (before === undefined) this.votes.set(key, candidate);
    else if (before !== candidate) violated(`member ${voter} voted for ${before} and for ${candidate} in term ${term}`);
  }

  /** A message leaves: what it promises has to be on the sender's disk already (dissertation 3.8). */
  said(message: PeerMessage, durable: DurableView | null): void {
    this.hasHeard = true;
    const { from } = message;
    if (message.type === "requestVoteResponse" && message.granted) this.given(from, message.term, message.to);
    if (durable === null || durable.hardState === null) return;
    const { term, vote } = durable.hardState;
    switch (message.type) {
      case "requestVote": {
        const mayForgetTerm = term < message.term || (term === message.term && vote !== from);
        if (mayForgetTerm && !durable.holds(message.lastIndex, message.lastTerm))
          violated(`member ${from} asks for votes with a log it may forget`);
        return;
      }
      case "requestVoteResponse": {
        const mayForget = term < message.term || (message.granted && term === message.term && vote !== message.to);
        if (mayForget) violated(`member ${from} answers with a vote or term it may forget`);
        return;
      }
      case "appendEntriesResponse":
        if (term < message.term) violated(`member ${from} answers in term ${message.term}, which it may forget`);
        return;
      default:
        return;
    }
  }
}
