import fc from "fast-check";
import { encodeChange } from "../membership/change-codec.ts";
import { votersOnly } from "../membership/configuration.ts";
import type { PeerMessage } from "../messages.ts";
import type { Configuration, EntryKind, LogEntry, LogIndex, NodeId, Term } from "../types.ts";
import { addLearner, addVoter, changeOf, remove } from "./member-changes.ts";
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
  /** Number of the repair that it speaks of, if any. */
  readonly repairId: number | null;
  /** Granted, rejected, or a story that ends like the own log. */
  readonly flag: boolean;
  /** Steps from one entry's term to the next. */
  readonly termSteps: readonly number[];
  readonly entryKind: EntryKind;
  readonly configuration: Configuration;
}

const HUGE = [2 ** 32, 2 ** 33, 2 ** 48, 2 ** 53 - 2] as const;

const nearTerm = weighted(["term", 60], ["zero", 1], ["huge", 1]);
const nearIndex = weighted(["last", 20], ["commit", 20], ["zero", 5], ["huge", 1]);
const nearPosition = weighted(["zero", 20], ["huge", 1]);

export const hostileMessage: fc.Arbitrary<HostileMessage> = fc.record({
  kind: fc.constant("message" as const),
  type: fc.constantFrom<PeerMessage["type"][]>(
    "requestPreVote",
    "requestPreVoteResponse",
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
    "timeoutNow",
    "transferLeadership",
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
  repairId: fc.constantFrom(null, null, null, null, 1, 1, 1, 1, 1, 2, 3, 0, 2 ** 53),
  flag: fc.boolean(),
  termSteps: fc.array(fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, -1), { maxLength: 4 }),
  entryKind: fc.constantFrom("command", "command", "command", "empty", "configuration"),
  configuration: fc.constantFrom(
    votersOnly([1, 2, 3]),
    votersOnly([1, 2]),
    votersOnly([2, 3]),
    { ...votersOnly([1, 2]), outgoing: [2, 3], autoLeave: true },
    { ...votersOnly([2]), outgoing: [1, 2, 3], learnersNext: [1] },
    { ...votersOnly([2, 3]), learners: [1] },
    { ...votersOnly([2, 3]), voters: [3, 2] },
    votersOnly([]),
  ),
});

/** Data of configuration entries; the last is none. */
const CHANGES: readonly Uint8Array[] = [
  encodeChange(changeOf(addVoter(4))),
  encodeChange(changeOf(remove(3), addLearner(2))),
  encodeChange(changeOf(remove(1))),
  encodeChange(changeOf()),
  new Uint8Array(5),
];

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
  const { type, from, to, flag, configuration, entryKind } = event;
  const term = numberOf(member, event.term);
  const index = numberOf(member, event.index);
  const position = numberOf(member, event.position);
  const indexTerm = event.indexTerm === "own" ? (member.log.termAt(index) ?? member.core.term) : numberOf(member, event.indexTerm);
  const mark = event.repairId === null ? {} : { repairId: event.repairId };
  switch (type) {
    case "requestPreVote":
    case "requestVote": {
      const question = { from, to, term, lastIndex: index, lastTerm: flag ? Math.min(indexTerm, term - 1) : indexTerm, priority: position };
      return type === "requestVote" ? { type, ...question, isTransfer: flag } : { type, ...question };
    }
    case "requestPreVoteResponse":
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
        entries: flag ? entriesLikeOwn(member, index, event) : entriesAfter(index, indexTerm, event),
      };
    case "appendEntriesResponse":
      return { type, from, to, term, index, rejected: flag, hintIndex: numberOf(member, event.commit), hintTerm: indexTerm, ...mark };
    case "heartbeat": {
      const named = event.repairId === null ? {} : { repair: { id: event.repairId, index } };
      return { type, from, to, term, commit: numberOf(member, event.commit), readPosition: position, ...named };
    }
    case "heartbeatResponse":
      return { type, from, to, term, readPosition: position, ...mark };
    case "installSnapshot":
      return { type, from, to, term, snapshot: { index, term: indexTerm, configuration } };
    case "timeoutNow":
      return { type, from, to, term, isResigning: flag };
    case "transferLeadership":
      return { type, from, to, term, target: 1 + (event.termSteps.length % 4) };
    case "forwardPropose":
      if (entryKind === "configuration") return { type, from, to, kind: entryKind, payloads: event.termSteps.map(changeData) };
      return { type, from, to, kind: "command", payloads: event.termSteps.map((step) => new Uint8Array(2 + step)) };
    case "readIndexRequest":
      return { type, from, to, requestId: position };
    case "readIndexResponse":
      return { type, from, to, requestId: position, index };
  }
}

/** Another story that ends as the member's own log does: all entries are of its last term. */
function entriesLikeOwn(member: TestMember, prevIndex: LogIndex, event: HostileMessage): readonly LogEntry[] {
  const lastTerm = member.log.termAt(member.log.lastIndex) ?? 0;
  return entriesAfter(prevIndex, lastTerm, { ...event, termSteps: event.termSteps.map(() => 0) });
}

function entriesAfter(prevIndex: LogIndex, prevTerm: Term, { termSteps, entryKind: kind }: HostileMessage): readonly LogEntry[] {
  let term = prevTerm;
  return termSteps.map((step, place) => {
    term += step;
    const data = kind === "configuration" ? changeData(step, place + term) : new Uint8Array([place, term & 255]);
    return { index: prevIndex + 1 + place, term, kind, data };
  });
}

/** One malformed change among many sound ones would spoil most messages, so it is drawn by two numbers at once. */
function changeData(step: number, place: number): Uint8Array {
  const choice = step === 2 && place % 3 === 0 ? CHANGES.length - 1 : Math.abs(place) % (CHANGES.length - 1);
  return CHANGES[choice] ?? new Uint8Array(0);
}
