import { votersOnly } from "../membership/configuration.ts";
import type {
  AppendEntries,
  Heartbeat,
  PeerMessage,
  RequestPreVote,
  RequestPreVoteResponse,
  RequestVote,
  RequestVoteResponse,
} from "../messages.ts";
import type { CoreOptions } from "../options.ts";
import type { Configuration, LogEntry, NodeId } from "../types.ts";
import { SeededRandom } from "./seeded-random.ts";
import { ELECTION_TICKS, entriesOf } from "./test-cluster.ts";
import { TestMember } from "./test-member.ts";

export interface SoloSetup {
  /** Voters 1 to `size`; the member is 1. */
  readonly size: number;
  /** Instead of those voters. */
  readonly configuration?: Configuration;
  /** Terms of the entries it starts with. */
  readonly terms?: readonly number[];
  readonly term?: number;
  readonly vote?: NodeId;
  readonly commit?: number;
  readonly seed?: number;
  /** It begins under repair. Default false. */
  readonly isDamaged?: boolean;
  readonly options?: Partial<CoreOptions>;
}

/** Member 1 of a cluster whose others are played by the test. */
export function soloMember(setup: SoloSetup): TestMember {
  const terms = setup.terms ?? [];
  return new TestMember({
    options: { electionTicks: ELECTION_TICKS, heartbeatTicks: 1, ...setup.options, id: 1 },
    configuration: setup.configuration ?? votersOnly(Array.from({ length: setup.size }, (_, place) => place + 1)),
    random: new SeededRandom(setup.seed ?? 1),
    hardState: { term: setup.term ?? terms[terms.length - 1] ?? 0, vote: setup.vote ?? 0, commit: setup.commit ?? 0 },
    entries: entriesOf(terms),
    isDamaged: setup.isDamaged ?? false,
  });
}

/** Lets core, disk and state machine work until nothing is left; everything that was sent. */
export function drain(member: TestMember): readonly PeerMessage[] {
  const sent: PeerMessage[] = [];
  for (;;) {
    while (member.appends.length > 0) sent.push(...member.write());
    while (member.applies.length > 0) member.apply();
    const ready = member.collect();
    if (ready === undefined) return sent;
    sent.push(...ready.messages);
  }
}

/** What the member sends in answer to `messages`. */
export function exchange(member: TestMember, ...messages: readonly PeerMessage[]): readonly PeerMessage[] {
  for (const message of messages) member.core.step(message);
  return drain(member);
}

/** Makes member 1 leader of the next term by the votes of all others but one, and their pre-votes; what it sent as the new leader. */
export function becomeLeader(member: TestMember, withoutVoteOf: NodeId = 0): readonly PeerMessage[] {
  const votes = (messages: readonly PeerMessage[]): readonly PeerMessage[] => grants(messages).filter(({ from }) => from !== withoutVoteOf);
  while (member.core.campaign() === "loyal") member.core.tick();
  const sent = exchange(member, ...votes(drain(member)));
  return member.core.role === "candidate" ? exchange(member, ...votes(sent)) : sent;
}

/** A grant for each vote and pre-vote that `messages` ask for. */
export function grants(messages: readonly PeerMessage[]): readonly PeerMessage[] {
  return messages.flatMap((message): readonly PeerMessage[] => {
    if (message.type === "requestPreVote") return [preVote(message.to, { term: message.term })];
    return message.type === "requestVote" ? [vote(message.to, { term: message.term })] : [];
  });
}

export interface VoteBody {
  readonly term: number;
  readonly granted?: boolean;
}

export function vote(from: NodeId, body: VoteBody): RequestVoteResponse {
  return { type: "requestVoteResponse", from, to: 1, term: body.term, granted: body.granted ?? true };
}

export function preVote(from: NodeId, body: VoteBody): RequestPreVoteResponse {
  return { type: "requestPreVoteResponse", from, to: 1, term: body.term, granted: body.granted ?? true };
}

type QuestionBody = Pick<RequestVote, "term" | "lastIndex" | "lastTerm"> & Partial<Pick<RequestVote, "priority" | "isTransfer">>;

export function voteRequest(from: NodeId, body: QuestionBody): RequestVote {
  return { type: "requestVote", from, to: 1, priority: 0, isTransfer: false, ...body };
}

export function preVoteRequest(from: NodeId, body: Omit<QuestionBody, "isTransfer">): RequestPreVote {
  return { type: "requestPreVote", from, to: 1, priority: 0, ...body };
}

export interface AppendBody {
  readonly term: number;
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly commit?: number;
  /** Terms of the entries that follow. */
  readonly terms?: readonly number[];
}

export function append(from: NodeId, body: AppendBody): AppendEntries {
  const { term, prevIndex, prevTerm, commit = 0, terms = [] } = body;
  return { type: "appendEntries", from, to: 1, term, prevIndex, prevTerm, commit, entries: entriesOf(terms, prevIndex + 1) };
}

/** A member under repair says so in its answers. */
interface Mark {
  readonly repairId?: number;
}

export function accept(from: NodeId, body: { readonly term: number; readonly index: number } & Mark): PeerMessage {
  return { type: "appendEntriesResponse", from, to: 1, ...body, rejected: false, hintIndex: 0, hintTerm: 0 };
}

export interface Refusal extends Mark {
  readonly term: number;
  readonly index: number;
  readonly hintIndex: number;
  readonly hintTerm: number;
}

export function refuse(from: NodeId, body: Refusal): PeerMessage {
  return { type: "appendEntriesResponse", from, to: 1, ...body, rejected: true };
}

export function heartbeat(from: NodeId, body: Pick<Heartbeat, "term"> & Partial<Pick<Heartbeat, "commit" | "repair">>): PeerMessage {
  return { type: "heartbeat", from, to: 1, commit: 0, readPosition: 0, ...body };
}

export function heartbeatAnswer(from: NodeId, body: { readonly term: number; readonly readPosition?: number } & Mark): PeerMessage {
  return { type: "heartbeatResponse", from, to: 1, readPosition: 0, ...body };
}

export function ofType<Type extends PeerMessage["type"]>(
  messages: readonly PeerMessage[],
  type: Type,
): readonly Extract<PeerMessage, { type: Type }>[] {
  return messages.filter((message): message is Extract<PeerMessage, { type: Type }> => message.type === type);
}

export function termsOf(entries: readonly LogEntry[]): readonly number[] {
  return entries.map((entry) => entry.term);
}
