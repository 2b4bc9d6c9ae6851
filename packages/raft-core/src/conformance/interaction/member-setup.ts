import { EMPTY_CONFIGURATION } from "../../membership/configuration.ts";
import type { CoreOptions } from "../../options.ts";
import type { SnapshotMeta } from "../../types.ts";
import { CommandError } from "../command-error.ts";
import { type DirectiveArguments, parseBoolean, parseNumber } from "../directive-arguments.ts";
import type { ScriptedMemberSetup } from "./scripted-member.ts";

/** Ticks of an election time-out and between two heartbeats. */
export const ELECTION_TICKS = 3;
export const HEARTBEAT_TICKS = 1;

/** The reference's own limit where none is set. */
const INFLIGHT_MESSAGES_UNLIMITED = 2147483647;
const BYTES_UNLIMITED = Number.MAX_SAFE_INTEGER;

/** What `add-nodes` asks for. Throws CommandError. */
export function memberSetup(args: DirectiveArguments): ScriptedMemberSetup {
  const isOn = (key: string): boolean => parseBoolean(args.value(key) ?? "false");
  const numberOr = (key: string, otherwise: number): number => parseNumber(args.value(key) ?? String(otherwise));
  const isAsynchronous = isOn("async-storage-writes");
  const options: ScriptedMemberSetup["options"] = {
    electionTicks: ELECTION_TICKS,
    heartbeatTicks: HEARTBEAT_TICKS,
    preVote: isOn("prevote"),
    checkQuorum: isOn("checkquorum"),
    stepDownOnRemoval: isOn("step-down-on-removal"),
    forwardProposals: true,
    validateChanges: !isOn("disable-conf-change-validation"),
    changeBarrier: false,
    promotionLagMax: null,
    leaseReads: leaseReads(args.value("read-only") ?? "safe"),
    appendBytesMax: BYTES_UNLIMITED,
    inflightMessagesMax: numberOr("inflight", INFLIGHT_MESSAGES_UNLIMITED),
    inflightBytesMax: BYTES_UNLIMITED,
    uncommittedBytesMax: BYTES_UNLIMITED,
    applyBytesMax: numberOr("max-committed-size-per-ready", BYTES_UNLIMITED),
    reference: {
      requestVotesBeforeDurable: true,
      applyBeforeDurable: !isAsynchronous,
      refusedChangeBecomesEmpty: true,
      forwardAgain: true,
      trustMessages: true,
      refuseSnapshotsWithoutSelf: true,
      leaveJointOnlyAtApply: true,
      newLeaderSpeaksAtOnce: true,
      probeWhoVoted: true,
      transferPostponesQuorumCheck: true,
      changesApplyDuringRestore: true,
      voteRightAfterStart: true,
    },
  };
  return { options, isAsynchronous, snapshot: bootstrapSnapshot(args) };
}

function leaseReads(mode: string): CoreOptions["leaseReads"] & (object | null) {
  if (mode === "safe") return null;
  if (mode === "lease-based") return { driftPpm: 0, tickMs: 1 };
  throw new CommandError(`invalid read-only option ${JSON.stringify(mode)}`);
}

/** What all members begin with, in term 1; without any of its arguments they know nothing and nobody. */
function bootstrapSnapshot(args: DirectiveArguments): SnapshotMeta {
  const voters = (args.values("voters") ?? []).map(parseNumber);
  const learners = (args.values("learners") ?? []).map(parseNumber);
  const index = parseNumber(args.value("index") ?? "0");
  const isEmpty = voters.length === 0 && learners.length === 0 && index === 0 && !args.value("content");
  if (isEmpty) return { index: 0, term: 0, configuration: EMPTY_CONFIGURATION };
  if (index <= 1) throw new CommandError("index must be specified as > 1 due to bootstrap");
  return { index, term: 1, configuration: { ...EMPTY_CONFIGURATION, voters, learners } };
}
