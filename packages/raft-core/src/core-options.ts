import type { EventSink } from "./events.ts";
import type { CoreOptions, ReferenceBehavior } from "./options.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

export type ResolvedOptions = Required<Omit<CoreOptions, "onEvent" | "reference">> & {
  readonly reference: Required<ReferenceBehavior>;
  readonly onEvent: EventSink | undefined;
};

const NO_REFERENCE: Required<ReferenceBehavior> = {
  requestVotesBeforeDurable: false,
  applyBeforeDurable: false,
  refusedChangeBecomesEmpty: false,
  forwardAgain: false,
  trustMessages: false,
  refuseSnapshotsWithoutSelf: false,
  leaveJointOnlyAtApply: false,
  newLeaderSpeaksAtOnce: false,
  probeWhoVoted: false,
  transferPostponesQuorumCheck: false,
  changesApplyDuringRestore: false,
  voteRightAfterStart: false,
};

/** The options with their defaults filled in. Throws RangeError for what can't work. */
export function resolveOptions(options: CoreOptions): ResolvedOptions {
  const resolved: ResolvedOptions = {
    id: options.id,
    electionTicks: options.electionTicks,
    heartbeatTicks: options.heartbeatTicks,
    preVote: options.preVote ?? true,
    checkQuorum: options.checkQuorum ?? true,
    stepDownOnRemoval: options.stepDownOnRemoval ?? true,
    forwardProposals: options.forwardProposals ?? true,
    validateChanges: options.validateChanges ?? true,
    changeBarrier: options.changeBarrier ?? true,
    promotionLagMax: options.promotionLagMax === undefined ? 5_000 : options.promotionLagMax,
    leaseReads: options.leaseReads ?? null,
    priority: options.priority ?? 0,
    hintStaggerTicks: options.hintStaggerTicks ?? 1,
    appendBytesMax: options.appendBytesMax ?? MIB,
    inflightMessagesMax: options.inflightMessagesMax ?? 256,
    inflightBytesMax: options.inflightBytesMax ?? 4 * MIB,
    adaptiveWindow: options.adaptiveWindow ?? false,
    commitMayWait: options.commitMayWait ?? false,
    uncommittedBytesMax: options.uncommittedBytesMax ?? 64 * MIB,
    applyBytesMax: options.applyBytesMax ?? 16 * MIB,
    reference: { ...NO_REFERENCE, ...options.reference },
    onEvent: options.onEvent,
  };
  checkOptions(resolved);
  return resolved;
}

function checkOptions(options: ResolvedOptions): void {
  for (const name of COUNTS) {
    const value = options[name];
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`Option ${name} is ${value}, not a positive safe integer`);
  }
  const { electionTicks, heartbeatTicks, inflightBytesMax, appendBytesMax, leaseReads, priority } = options;
  if (electionTicks < 2 * heartbeatTicks) {
    throw new RangeError(`electionTicks ${electionTicks} is less than two heartbeats of ${heartbeatTicks} ticks`);
  }
  if (inflightBytesMax < appendBytesMax) {
    throw new RangeError(`inflightBytesMax ${inflightBytesMax} is less than appendBytesMax ${appendBytesMax}`);
  }
  if (!Number.isSafeInteger(priority) || priority < 0 || priority > PRIORITY_MAX) {
    throw new RangeError(`Option priority is ${priority}, not an integer from 0 to ${PRIORITY_MAX}`);
  }
  const { promotionLagMax } = options;
  if (promotionLagMax !== null && !(Number.isSafeInteger(promotionLagMax) && promotionLagMax >= 0)) {
    throw new RangeError(`Option promotionLagMax is ${promotionLagMax}, neither null nor a count of entries`);
  }
  if (leaseReads === null) return;
  if (!options.checkQuorum) throw new RangeError("leaseReads needs checkQuorum: nothing else keeps a second leader from being elected");
  if (!(leaseReads.driftPpm >= 0 && leaseReads.driftPpm < 1_000_000)) {
    throw new RangeError(`Option leaseReads.driftPpm is ${leaseReads.driftPpm}, not from 0 to 999999`);
  }
  if (!(leaseReads.tickMs > 0)) throw new RangeError(`Option leaseReads.tickMs is ${leaseReads.tickMs}, not positive`);
}

/** Highest priority of a member; a message may name one above it, which nobody outranks. */
export const PRIORITY_MAX = 2 ** 31 - 2;

const COUNTS = [
  "id",
  "electionTicks",
  "heartbeatTicks",
  "hintStaggerTicks",
  "appendBytesMax",
  "inflightMessagesMax",
  "inflightBytesMax",
  "uncommittedBytesMax",
  "applyBytesMax",
] as const;
