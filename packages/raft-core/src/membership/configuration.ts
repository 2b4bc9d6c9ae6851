import type { Configuration, NodeId } from "../types.ts";

/** Of a member that knows nobody yet, not even itself. Nobody can be elected in it. */
export const EMPTY_CONFIGURATION: Configuration = { voters: [], outgoing: [], learners: [], learnersNext: [], autoLeave: false };

/** The configuration in which everybody named is a voter. */
export function votersOnly(ids: readonly NodeId[]): Configuration {
  return { ...EMPTY_CONFIGURATION, voters: ascending(ids) };
}

/** Whether it is on the way from one set of voters to another (dissertation 4.3). */
export function isJoint(configuration: Configuration): boolean {
  return configuration.outgoing.length > 0;
}

/** Everybody who gets entries, ascending. */
export function trackedIds(configuration: Configuration): readonly NodeId[] {
  const { voters, outgoing, learners, learnersNext } = configuration;
  return ascendingUnion([voters, outgoing, learners, learnersNext]);
}

/** Everybody whose vote counts in either half, ascending. */
export function allVoters(configuration: Configuration): readonly NodeId[] {
  return ascendingUnion([configuration.voters, configuration.outgoing]);
}

/** Whether its vote counts in either half. */
export function isVoter(configuration: Configuration, id: NodeId): boolean {
  return configuration.voters.includes(id) || configuration.outgoing.includes(id);
}

/** Whether it gets entries. */
export function isTracked(configuration: Configuration, id: NodeId): boolean {
  return isVoter(configuration, id) || configuration.learners.includes(id) || configuration.learnersNext.includes(id);
}

/** Whether it gets entries and counts for nothing. An outgoing voter that is to become a learner is none yet. */
export function isLearner(configuration: Configuration, id: NodeId): boolean {
  return configuration.learners.includes(id);
}

/** A copy with each list ascending, so that equal configurations look equal. */
export function normalized(configuration: Configuration): Configuration {
  return {
    voters: ascending(configuration.voters),
    outgoing: ascending(configuration.outgoing),
    learners: ascending(configuration.learners),
    learnersNext: ascending(configuration.learnersNext),
    autoLeave: configuration.autoLeave,
  };
}

/**
 * Whether members could have agreed on it: at least one voter, every list ascending, learners apart from voters, those who become
 * learners among the voters that leave, and nothing left over of a joint configuration that is none. For data of other members.
 */
export function isWellFormedConfiguration(configuration: Configuration): boolean {
  const { voters, outgoing, learners, learnersNext, autoLeave } = configuration;
  if (voters.length === 0 || ![voters, outgoing, learners, learnersNext].every(isAscending)) return false;
  const isFinished = learnersNext.length === 0 && !autoLeave;
  return (isJoint(configuration) || isFinished) && areApart(learners, allVoters(configuration)) && areStaged(learnersNext, configuration);
}

export function configurationsEqual(a: Configuration, b: Configuration): boolean {
  return (
    idsEqual(a.voters, b.voters) &&
    idsEqual(a.outgoing, b.outgoing) &&
    idsEqual(a.learners, b.learners) &&
    idsEqual(a.learnersNext, b.learnersNext) &&
    a.autoLeave === b.autoLeave
  );
}

/** They vote in the half that is being left, and only there. */
function areStaged(ids: readonly NodeId[], configuration: Configuration): boolean {
  const outgoing = new Set(configuration.outgoing);
  return ids.every((id) => outgoing.has(id)) && areApart(ids, configuration.voters);
}

function areApart(ids: readonly NodeId[], others: readonly NodeId[]): boolean {
  const excluded = new Set(others);
  return !ids.some((id) => excluded.has(id));
}

function isAscending(ids: readonly NodeId[]): boolean {
  return ids.every((id, place) => Number.isSafeInteger(id) && id > (ids[place - 1] ?? 0));
}

function idsEqual(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id, place) => id === b[place]);
}

function ascendingUnion(lists: readonly (readonly NodeId[])[]): readonly NodeId[] {
  return ascending(new Set(lists.flat()));
}

function ascending(ids: Iterable<NodeId>): readonly NodeId[] {
  return [...ids].sort((a, b) => a - b);
}
