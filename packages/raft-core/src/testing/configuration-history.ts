import { configurationsEqual } from "../membership/configuration.ts";
import type { Configuration, LogIndex, NodeId } from "../types.ts";
import type { CommittedLog } from "./committed-log.ts";
import { violated } from "./violation.ts";

/** The configurations a cluster has gone through, by the index of the change that led to each; 0 for the first one. */
export class ConfigurationHistory {
  private readonly committed: CommittedLog;
  private readonly known = new Map<LogIndex, Configuration>();

  constructor(committed: CommittedLog) {
    this.committed = committed;
  }

  /** The member has applied everything up to `applied` and holds `configuration` in force. */
  seen(id: NodeId, applied: LogIndex, configuration: Configuration): void {
    const change = this.committed.lastChangeAt(applied);
    const before = this.known.get(change);
    if (before === configuration) return;
    if (before === undefined) this.began(change, configuration);
    else if (!configurationsEqual(before, configuration)) {
      violated(`member ${id} at ${applied} has the members ${show(configuration)} instead of ${show(before)}`);
    }
  }

  private began(change: LogIndex, configuration: Configuration): void {
    this.known.set(change, configuration);
    if (!isSound(configuration)) violated(`the change at ${change} led to ${show(configuration)}`);
    if (change === 0) return;
    const former = this.known.get(this.committed.lastChangeAt(change - 1));
    if (former !== undefined && !quorumsMeet(former, configuration)) {
      violated(`the change at ${change} led from ${show(former)} to ${show(configuration)}, whose quorums need not meet`);
    }
  }
}

/**
 * Whether those for whom it holds are a majority of each half (dissertation 4.3). Told here once more, so that a mistake in the core's
 * own count is seen.
 */
export function hasQuorum({ voters, outgoing }: Configuration, holds: (id: NodeId) => boolean): boolean {
  return [voters, outgoing].every((half) => half.length === 0 || 2 * half.filter(holds).length > half.length);
}

/** Nobody is voter and learner, and whoever becomes a learner later votes until then. */
function isSound({ voters, outgoing, learners, learnersNext, autoLeave }: Configuration): boolean {
  const isApart = !learners.some((id) => voters.includes(id) || outgoing.includes(id));
  const isStaged = learnersNext.every((id) => outgoing.includes(id) && !voters.includes(id));
  return isApart && isStaged && (outgoing.length > 0 || (!autoLeave && learnersNext.length === 0));
}

/** Tries every way to part the members in two: never may both parts decide (dissertation 4.1). */
function quorumsMeet(one: Configuration, other: Configuration): boolean {
  const ids = [...new Set([one, other].flatMap(({ voters, outgoing }) => [...voters, ...outgoing]))];
  for (let part = 0; part < 2 ** ids.length; part++) {
    const isInPart = (id: NodeId): boolean => ((part >> ids.indexOf(id)) & 1) === 1;
    if (hasQuorum(one, isInPart) && hasQuorum(other, (id) => !isInPart(id))) return false;
  }
  return true;
}

function show(configuration: Configuration): string {
  return JSON.stringify(configuration);
}
