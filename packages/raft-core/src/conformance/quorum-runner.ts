import { reachedByQuorum, type VoterSets } from "../quorum/joint.ts";
import { type VoteOutcome, VoteTally } from "../quorum/vote-tally.ts";
import type { LogIndex, NodeId } from "../types.ts";
import type { Directive } from "./datadriven.ts";
import { parseNumber } from "./directive-arguments.ts";
import { quorumPicture } from "./text/quorum-picture.ts";

/** What a member said, as far as it is known: an index, or a vote as written. */
type Said<Value> = ReadonlyMap<NodeId, Value>;

const voteNames: Readonly<Record<VoteOutcome, string>> = { won: "VoteWon", pending: "VotePending", lost: "VoteLost" };
/** Nothing was heard of that member, which is not the same as 0. */
const UNKNOWN = "_";

/** Answers `committed` and `vote`: the mathematics of majorities, alone and joint. Each directive stands for itself. */
export function runQuorumDirective(directive: Directive): string {
  const sets = voterSetsOf(directive);
  switch (directive.command) {
    case "committed":
      return committed(directive, sets);
    case "vote":
      return vote(directive, sets);
    default:
      throw new Error(`Unknown command ${directive.command}`);
  }
}

interface Quorum extends VoterSets {
  /** A second half was named, be it empty. */
  readonly isJoint: boolean;
}

function voterSetsOf(directive: Directive): Quorum {
  const idsOf = (key: string): readonly NodeId[] => (directive.arguments.values(key) ?? []).map(parseNumber);
  const second = directive.arguments.value("cfgj");
  return { voters: idsOf("cfg"), outgoing: second === undefined || second === "zero" ? [] : idsOf("cfgj"), isJoint: second !== undefined };
}

/** Everybody in either half, in the order written. */
function members(sets: VoterSets): readonly NodeId[] {
  return [...new Set([...sets.voters, ...sets.outgoing])];
}

/** Gives the values to the ids in the order written; undefined if there are more or fewer. */
function saidBy<Value>(sets: VoterSets, written: readonly string[], valueOf: (text: string) => Value): Said<Value> | undefined {
  const ids = members(sets);
  if (ids.length !== written.length) return undefined;
  const said = new Map<NodeId, Value>();
  ids.forEach((id, place) => {
    const text = written[place] ?? UNKNOWN;
    if (text !== UNKNOWN) said.set(id, valueOf(text));
  });
  return said;
}

function mismatch(sets: VoterSets, numbers: readonly number[]): string {
  const voters = [...members(sets)].sort((a, b) => a - b).map((id) => `${id}:{}`);
  return `error: mismatched input (explicit or _) for voters map[${voters.join(" ")}]: [${numbers.join(" ")}]`;
}

function committed(directive: Directive, sets: Quorum): string {
  const written = directive.arguments.values("idx") ?? [];
  const acknowledged = saidBy(sets, written, parseNumber);
  if (acknowledged === undefined) return mismatch(sets, written.map(shownIndex));
  const index = committedIndex(sets, acknowledged);
  return `${quorumPicture(members(sets), acknowledged)}${indexText(index)}\n${committedDoubts(sets, acknowledged, index)}`;
}

/** How an index of a mismatched directive is shown. */
function shownIndex(text: string): number {
  return text === UNKNOWN ? 0 : parseNumber(text);
}

function committedIndex(sets: VoterSets, acknowledged: Said<LogIndex>): number {
  return reachedByQuorum(sets, (id) => acknowledged.get(id) ?? 0);
}

function indexText(index: number): string {
  return index === Number.POSITIVE_INFINITY ? "∞" : String(index);
}

/** A line for each law that `index` breaks: none. */
function committedDoubts(sets: Quorum, acknowledged: Said<LogIndex>, index: number): string {
  const { voters, outgoing, isJoint } = sets;
  const others: (readonly [number, string])[] = isJoint
    ? [[committedIndex({ voters: outgoing, outgoing: voters }, acknowledged), "via symmetry"]]
    : [
        [committedByCounting(voters, acknowledged), "via alternative computation"],
        [committedIndex({ voters: [], outgoing: voters }, acknowledged), "via zero-joint quorum"],
        [committedIndex({ voters, outgoing: voters }, acknowledged), "via self-joint quorum"],
      ];
  for (const [id, own] of acknowledged) {
    if (own >= index) continue;
    for (const lower of new Set([own - 1, 0])) {
      if (lower >= own) continue;
      others.push([committedIndex(sets, new Map(acknowledged).set(id, lower)), `overlaying ${id}->${lower}`]);
    }
  }
  return others.map(([other, how]) => (other === index ? "" : `${indexText(other)} <-- ${how}\n`)).join("");
}

/** The slow way: the largest index for which enough voters can be counted. */
function committedByCounting(voters: readonly NodeId[], acknowledged: Said<LogIndex>): number {
  if (voters.length === 0) return Number.POSITIVE_INFINITY;
  const indexes = voters.map((id) => acknowledged.get(id) ?? 0);
  const reached = indexes.filter((index) => indexes.filter((other) => other >= index).length > voters.length / 2);
  return Math.max(0, ...reached);
}

function vote(directive: Directive, sets: Quorum): string {
  const written = directive.arguments.values("votes") ?? [];
  const votes = saidBy(sets, written, (text) => text === "y");
  if (votes === undefined) return mismatch(sets, written.map(shownVote));
  const tally = new VoteTally();
  for (const [voter, granted] of votes) tally.record(voter, granted);
  const outcome = tally.outcome(sets);
  const swapped = tally.outcome({ voters: sets.outgoing, outgoing: sets.voters });
  return `${voteNames[outcome]}\n${outcome === swapped ? "" : `${voteNames[swapped]} <-- via symmetry\n`}`;
}

/** How a vote of a mismatched directive is shown. */
function shownVote(text: string): number {
  return { y: 2, n: 1 }[text] ?? 0;
}
