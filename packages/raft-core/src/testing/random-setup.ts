import { votersOnly } from "../membership/configuration.ts";
import type { CoreOptions } from "../options.ts";
import type { Configuration, NodeId } from "../types.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** What can happen next. */
export type EventKind =
  | "tick"
  | "deliver"
  | "write"
  | "apply"
  | "propose"
  | "read"
  | "snapshot"
  | "crash"
  | "cutLink"
  | "isolate"
  | "heal"
  | "campaign"
  | "unreachable"
  | "change"
  | "leaveJoint"
  | "transfer"
  | "hint"
  | "forgetLeader"
  | "pause"
  | "resume";

/** How often each happens, relative to the others. */
const USUAL_WEIGHTS: Readonly<Record<EventKind, number>> = {
  tick: 90,
  deliver: 480,
  write: 150,
  apply: 100,
  propose: 50,
  read: 30,
  snapshot: 20,
  crash: 4,
  cutLink: 4,
  isolate: 3,
  heal: 7,
  campaign: 3,
  unreachable: 8,
  change: 14,
  leaveJoint: 8,
  transfer: 4,
  hint: 6,
  forgetLeader: 3,
  pause: 3,
  resume: 8,
};

/** A cluster does not live without them. */
const VITAL: ReadonlySet<EventKind> = new Set(["tick", "deliver", "write", "apply", "propose", "heal", "resume"]);

export interface RandomSetup {
  /** Some may be no members yet. */
  readonly ids: readonly NodeId[];
  readonly configuration: Configuration;
  readonly options: Omit<CoreOptions, "id">;
  /** By place. */
  readonly priorities: readonly number[];
  readonly weights: readonly (readonly [EventKind, number])[];
}

/** What a run is about: `leases` has lease reads and clocks, `fixed` never changes members, `free` draws from everything. */
export type RunTheme = "free" | "leases" | "fixed";

/** Draws a cluster: its size, its limits, which parts of the protocol are on, and how often each event comes. */
export function drawSetup(theme: RunTheme, random: SeededRandom): RandomSetup {
  const voters = 3 + Math.min(random.below(5), random.below(5));
  const learners = random.oneIn(4) ? 1 : 0;
  const spares = theme === "fixed" ? 0 : random.below(3);
  const ids = Array.from({ length: voters + learners + spares }, (_, place) => place + 1);
  const hasPriorities = random.oneIn(5);
  return {
    ids,
    configuration: { ...votersOnly(ids.slice(0, voters)), learners: ids.slice(voters, voters + learners) },
    options: drawOptions(theme, random),
    priorities: ids.map(() => (hasPriorities ? random.below(3) : 0)),
    weights: drawWeights(theme, random),
  };
}

function drawOptions(theme: RunTheme, random: SeededRandom): Omit<CoreOptions, "id"> {
  const hasLeases = theme === "leases" || (theme === "free" && random.oneIn(6));
  const appendBytesMax = 1 + random.below(40);
  return {
    electionTicks: 4 + random.below(4),
    heartbeatTicks: 1 + random.below(2),
    preVote: !random.oneIn(6),
    checkQuorum: hasLeases || !random.oneIn(6),
    forwardProposals: !random.oneIn(4),
    leaseReads: hasLeases ? { driftPpm: random.below(300_000), tickMs: 10 } : null,
    hintStaggerTicks: 1 + random.below(2),
    adaptiveWindow: random.oneIn(3),
    appendBytesMax,
    inflightBytesMax: appendBytesMax + random.below(100),
    inflightMessagesMax: 1 + random.below(8),
    uncommittedBytesMax: 20 + random.below(400),
    applyBytesMax: 1 + random.below(60),
  };
}

/** Runs differ in what happens often, seldom or never: what hides behind one kind of event shows where it is missing. */
function drawWeights(theme: RunTheme, random: SeededRandom): readonly (readonly [EventKind, number])[] {
  const kinds = Object.keys(USUAL_WEIGHTS) as readonly EventKind[];
  return kinds.map((kind) => {
    const factor = VITAL.has(kind) ? [1, 1, 1, 2][random.below(4)] : [0, 1, 1, 1, 3][random.below(5)];
    const isExcluded = theme === "fixed" && kind === "change";
    return [kind, isExcluded ? 0 : USUAL_WEIGHTS[kind] * (factor ?? 1)] as const;
  });
}
