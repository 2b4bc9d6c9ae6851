import { votersOnly } from "../membership/configuration.ts";
import type { CoreOptions } from "../options.ts";
import type { Configuration, NodeId } from "../types.ts";
import type { NetworkFaults } from "./random-network.ts";
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
  | "damage"
  | "cutLink"
  | "isolate"
  | "partition"
  | "usurp"
  | "heal"
  | "campaign"
  | "unreachable"
  | "change"
  | "leaveJoint"
  | "transfer"
  | "resign"
  | "hint"
  | "forgetLeader"
  | "pause"
  | "resume";

/** Length of a tick where members have clocks. */
export const TICK_MS = 10;

/** How often each happens, relative to the others. */
const USUAL_WEIGHTS: Readonly<Record<Exclude<EventKind, "damage">, number>> = {
  tick: 60,
  deliver: 480,
  write: 140,
  apply: 90,
  propose: 50,
  read: 40,
  snapshot: 25,
  crash: 4,
  cutLink: 2,
  isolate: 3,
  partition: 2,
  usurp: 5,
  heal: 2,
  campaign: 3,
  unreachable: 6,
  change: 12,
  leaveJoint: 8,
  transfer: 4,
  resign: 4,
  hint: 6,
  forgetLeader: 3,
  pause: 3,
  resume: 6,
};

/** Where disks are damaged: somewhat more often than they would be ever again. */
const DAMAGE_WEIGHT = 3;

/** Where leases are in use, whatever could make one outlive its truth. */
const LEASE_FACTORS: Partial<Readonly<Record<EventKind, number>>> = { read: 4, transfer: 2, resign: 2, isolate: 2, pause: 3, change: 0.5 };

/** They come in storms only: between two storms the cluster has time to get somewhere. */
export const STORMY: ReadonlySet<EventKind> = new Set([
  "crash",
  "damage",
  "cutLink",
  "isolate",
  "partition",
  "usurp",
  "campaign",
  "hint",
  "forgetLeader",
  "pause",
]);

/** A cluster does not live without them. */
const VITAL: ReadonlySet<EventKind> = new Set(["tick", "deliver", "propose", "heal", "resume"]);

/** Disks and state machines may be slow, but they work. */
const SLOWED: ReadonlySet<EventKind> = new Set(["write", "apply"]);

export interface RandomSetup {
  /** Some may be no members yet. */
  readonly ids: readonly NodeId[];
  readonly configuration: Configuration;
  readonly options: Omit<CoreOptions, "id">;
  /** By place. */
  readonly priorities: readonly number[];
  readonly networkFaults: NetworkFaults;
  /** Its disk and its state machine are slower than those of the others; 0 for nobody. */
  readonly slowId: NodeId;
  /** Whether so many may be under repair at once that the others are no majority; then only safety is left. */
  readonly mayDamageMajority: boolean;
  readonly weights: readonly (readonly [EventKind, number])[];
}

/**
 * What a run is about: `leases` has lease reads and clocks, `fixed` never changes members, `free` draws from everything but damage.
 * Disks lose what was acknowledged in `damaged`, where members never change and a majority always is sound, and in `ruined`, where
 * nobody may be left who can be elected.
 */
export type RunTheme = "free" | "leases" | "fixed" | "damaged" | "ruined";

/** Draws a cluster: its size, its limits, which parts of the protocol are on, and how often each event comes. */
export function drawSetup(theme: RunTheme, random: SeededRandom): RandomSetup {
  const voters = 3 + Math.min(random.below(5), random.below(5));
  const learners = random.oneIn(4) ? 1 : 0;
  const spares = isFixed(theme) ? 0 : random.below(3);
  const ids = Array.from({ length: voters + learners + spares }, (_, place) => place + 1);
  const hasPriorities = random.oneIn(5);
  return {
    ids,
    configuration: { ...votersOnly(ids.slice(0, voters)), learners: ids.slice(voters, voters + learners) },
    options: drawOptions(theme, random),
    priorities: ids.map(() => (hasPriorities ? random.below(3) : 0)),
    networkFaults: { faultOneIn: [8, 16, 32, 200][random.below(4)] ?? 8, reorderWindow: [1, 4, 10, 60][random.below(4)] ?? 1 },
    slowId: random.below(voters + 1),
    weights: drawWeights(theme, random),
    mayDamageMajority: theme === "ruined" && random.oneIn(2),
  };
}

function drawOptions(theme: RunTheme, random: SeededRandom): Omit<CoreOptions, "id"> {
  const hasLeases = theme === "leases" || (theme === "free" && random.oneIn(6));
  const appendBytesMax = 1 + random.below(40);
  return {
    electionTicks: (hasLeases ? 5 : 4) + random.below(4),
    heartbeatTicks: hasLeases ? 1 : 1 + random.below(2),
    preVote: !random.oneIn(6),
    checkQuorum: hasLeases || !random.oneIn(6),
    forwardProposals: !random.oneIn(4),
    leaseReads: hasLeases ? { driftPpm: random.below(300_000), tickMs: TICK_MS } : null,
    hintStaggerTicks: 1 + random.below(2),
    adaptiveWindow: random.oneIn(3),
    appendBytesMax,
    inflightBytesMax: appendBytesMax + random.below(100),
    inflightMessagesMax: 1 + random.below(8),
    uncommittedBytesMax: 20 + random.below(400),
    applyBytesMax: 1 + random.below(60),
    // Not drawn: the seeds of earlier finds keep their meaning.
    commitMayWait: appendBytesMax % 2 === 0,
  };
}

/** Runs differ in what happens often, seldom or never: what hides behind one kind of event shows where it is missing. */
function drawWeights(theme: RunTheme, random: SeededRandom): readonly (readonly [EventKind, number])[] {
  const kinds = Object.keys(USUAL_WEIGHTS) as readonly (keyof typeof USUAL_WEIGHTS)[];
  const usual = kinds.map((kind) => {
    const factors = SLOWED.has(kind) ? [0.15, 0.5, 1, 2] : VITAL.has(kind) ? [1, 1, 1, 2] : [0, 1, 1, 3];
    const factor = factors[random.below(factors.length)] ?? 1;
    const isExcluded = isFixed(theme) && kind === "change";
    const themeFactor = theme === "leases" ? (LEASE_FACTORS[kind] ?? 1) : 1;
    return [kind, isExcluded ? 0 : USUAL_WEIGHTS[kind] * themeFactor * factor] as const;
  });
  return theme === "damaged" || theme === "ruined" ? [...usual, ["damage", DAMAGE_WEIGHT]] : usual;
}

function isFixed(theme: RunTheme): boolean {
  return theme === "fixed" || theme === "damaged";
}
