import type { SystemName } from "../cluster/system.ts";
import type { Cell, Round } from "../comparison.ts";
import { formatLoadShape } from "../load/load-shape.ts";
import { pairedRatios, type Spread, spread } from "../statistics.ts";

/** What the rounds of one system in one cell come to. */
export interface SystemSummary {
  readonly system: SystemName;
  readonly ratePerSecond: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly maxMs: number;
  /** Microseconds of CPU per request; null where the system does not tell. */
  readonly leaderUs: Spread | null;
  readonly followersUs: Spread | null;
  readonly generatorUs: Spread;
  /** How often each error came in all rounds, by its sentence. */
  readonly errors: Readonly<Record<string, number>>;
  /** Rounds in which the leader changed. */
  readonly leaderMoves: number;
}

/** RaftKV's figures divided by etcd's of the same round. */
export interface CellRatios {
  readonly rate: Spread;
  readonly p50: Spread;
  readonly p99: Spread;
}

export interface CellSummary {
  readonly workload: string;
  /** `10x100`. */
  readonly load: string;
  readonly systems: readonly SystemSummary[];
  /** Null if etcd was not measured. */
  readonly ratios: CellRatios | null;
}

export function summarizeCell(cell: Cell): CellSummary {
  const raftkv = cell.rounds.get("raftkv");
  const etcd = cell.rounds.get("etcd");
  return {
    workload: cell.workload,
    load: formatLoadShape(cell.shape),
    systems: [...cell.rounds].map(([system, rounds]) => summarizeSystem(system, rounds)),
    ratios: raftkv === undefined || etcd === undefined ? null : ratiosOf(raftkv, etcd),
  };
}

function summarizeSystem(system: SystemName, rounds: readonly Round[]): SystemSummary {
  const cpu = rounds.flatMap((round) => (round.cpu === null ? [] : [round.cpu]));
  return {
    system,
    ratePerSecond: spread(rounds.map((round) => round.ratePerSecond)),
    p50Ms: spread(rounds.map((round) => round.p50Ms)),
    p99Ms: spread(rounds.map((round) => round.p99Ms)),
    maxMs: Math.max(...rounds.map((round) => round.maxMs)),
    leaderUs: cpu.length === 0 ? null : spread(cpu.map((used) => used.leaderUs)),
    followersUs: cpu.length === 0 ? null : spread(cpu.map((used) => used.followersUs)),
    generatorUs: spread(rounds.map((round) => round.generatorUs)),
    errors: sumErrors(rounds),
    leaderMoves: rounds.filter((round) => round.leaderMoved).length,
  };
}

function sumErrors(rounds: readonly Round[]): Readonly<Record<string, number>> {
  const sum: Record<string, number> = {};
  for (const round of rounds) for (const [sentence, count] of round.errors) sum[sentence] = (sum[sentence] ?? 0) + count;
  return sum;
}

function ratiosOf(raftkv: readonly Round[], etcd: readonly Round[]): CellRatios {
  const ratio = (pick: (round: Round) => number): Spread => pairedRatios(raftkv.map(pick), etcd.map(pick));
  return { rate: ratio((round) => round.ratePerSecond), p50: ratio((round) => round.p50Ms), p99: ratio((round) => round.p99Ms) };
}
