import fc from "fast-check";
import type { LogEntry, LogIndex, NodeId, PeerMessage, Term } from "../types.ts";
import type { TestMember } from "./test-member.ts";

/** A number of a message, told from what the member has then: most wrong numbers that do harm are near a right one. */
export interface Near {
  readonly base: "zero" | "term" | "commit" | "last" | "huge";
  readonly offset: number;
}

/** The numbers of one message, whatever its type calls them. */
export interface HostileMessage {
  readonly kind: "message";
  readonly type: PeerMessage["type"];
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Near;
  readonly index: Near;
  /** Term at `index`: what the member's own log has there, or a wild one. */
  readonly indexTerm: Near | "own";
  readonly commit: Near;
  readonly position: Near;
  /** Granted, rejected, or a story that ends like the own log. */
  readonly flag: boolean;
  /** Steps from one entry's term to the next. */
  readonly termSteps: readonly number[];
  readonly voters: readonly NodeId[];
}

const HUGE = [2 ** 32, 2 ** 33, 2 ** 48, 2 ** 53 - 2] as const;

const nearTerm = weighted(["term", 60], ["zero", 1], ["huge", 1]);
const nearIndex = weighted(["last", 20], ["commit", 20], ["zero", 5], ["huge", 1]);
const nearPosition = weighted(["zero", 20], ["huge", 1]);

export const hostileMessage: fc.Arbitrary<HostileMessage> = fc.record({
  kind: fc.constant("message" as const),
  type: fc.constantFrom<PeerMessage["type"][]>(
    "requestVote",
    "requestVoteResponse",
    "appendEntries",
    "appendEntries",
    "appendEntries",
    "appendEntriesResponse",
    "appendEntriesResponse",
    "heartbeat",
    "heartbeat",
    "heartbeatResponse",
    "installSnapshot",
    "forwardPropose",
    "readIndexRequest",
    "readIndexResponse",
  ),
  from: fc.constantFrom(...Array.from({ length: 10 }, () => 2), 3, 3, 3, 9, 1, 2 ** 53 - 1),
  to: fc.constantFrom(...Array.from({ length: 40 }, () => 1), 2),
  term: nearTerm,
  index: nearIndex,
  indexTerm: fc.oneof({ weight: 4, arbitrary: fc.constant("own" as const) }, { weight: 1, arbitrary: nearTerm }),
  commit: nearIndex,
  position: nearPosition,
  flag: fc.boolean(),
  termSteps: fc.array(fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, -1), { maxLength: 4 }),
  voters: fc.constantFrom([1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2], [1], [2, 3], [3, 1], []),
});

function weighted(...bases: readonly (readonly [Near["base"], number])[]): fc.Arbitrary<Near> {
  const offset = fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, -1, -1, -1, -2, -2, 2, 3);
  return fc.oneof(...bases.map(([base, weight]) => ({ weight, arbitrary: fc.record({ base: fc.constant(base), offset }) })));
}

function numberOf(member: TestMember, near: Near): number {
  const { term, commit, lastIndex } = member.core;
  const values = { zero: 0, term, commit, last: lastIndex, huge: HUGE[Math.abs(near.offset)] ?? 2 ** 40 };
  return values[near.base] + near.offset;
}

/** Tells the numbers of `event` as `member` stands now. */
export function messageOf(member: TestMember, event: HostileMessage): PeerMessage {
  const { type, from, to, flag } = event;
  const term = numberOf(member, event.term);
  const index = numberOf(member, event.index);
  const position = numberOf(member, event.position);
  const indexTerm = event.indexTerm === "own" ? (member.log.termAt(index) ?? member.core.term) : numberOf(member, event.indexTerm);
  switch (type) {
    case "requestVote":
      return { type, from, to, term, lastIndex: index, lastTerm: flag ? Math.min(indexTerm, term - 1) : indexTerm };
    case "requestVoteResponse":
      return { type, from, to, term, granted: flag };
    case "appendEntries":
      return {
        type,
        from,
        to,
        term,
        prevIndex: index,
        prevTerm: indexTerm,
        commit: numberOf(member, event.commit),
        entries: flag ? entriesLikeOwn(member, index, event.termSteps.length) : entriesAfter(index, indexTerm, event.termSteps),
      };
    case "appendEntriesResponse":
      return { type, from, to, term, index, rejected: flag, hintIndex: numberOf(member, event.commit), hintTerm: indexTerm };
    case "heartbeat":
      return { type, from, to, term, commit: numberOf(member, event.commit), readPosition: position };
    case "heartbeatResponse":
      return { type, from, to, term, readPosition: position };
    case "installSnapshot":
      return { type, from, to, term, snapshot: { index, term: indexTerm, configuration: { voters: event.voters } } };
    case "forwardPropose":
      return { type, from, to, payloads: event.termSteps.map((step) => new Uint8Array(2 + step)) };
    case "readIndexRequest":
      return { type, from, to, requestId: position };
    case "readIndexResponse":
      return { type, from, to, requestId: position, index };
  }
}

/** Another story that ends as the member's own log does: all entries are of its last term. */
function entriesLikeOwn(member: TestMember, prevIndex: LogIndex, count: number): readonly LogEntry[] {
  const lastTerm = member.log.termAt(member.log.lastIndex) ?? 0;
  return entriesAfter(
    prevIndex,
    lastTerm,
    Array.from({ length: count }, () => 0),
  );
}

function entriesAfter(prevIndex: LogIndex, prevTerm: Term, termSteps: readonly number[]): readonly LogEntry[] {
  let term = prevTerm;
  return termSteps.map((step, place) => {
    term += step;
    return { index: prevIndex + 1 + place, term, kind: "command", data: new Uint8Array([place, term & 255]) };
  });
}
