import { formatLoadShape, type LoadShape } from "../load/load-shape.ts";
import { median, pairedRatios, type Spread, spread } from "../statistics.ts";
import type { Contestant, Turn } from "./contestant.ts";

export interface RpcCellOptions {
  /** What is compared; the first one's rate is given as a multiple of each other one's. */
  readonly contestants: readonly Contestant[];
  readonly shape: LoadShape;
  readonly rounds: number;
  /** Of one contestant in one round. */
  readonly turnMs: number;
}

/** How one implementation did, as medians of the rounds. */
export interface RpcResult {
  readonly name: string;
  readonly rate: Spread;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUs: number | null;
  readonly allocatedBytes: number | null;
  /** Of the first one's rate to this one's. */
  readonly ratio: Spread;
  /** Of this one's CPU time for a call to the first one's: what a busy machine takes from the rates it does not take from this. */
  readonly cpuRatio: number | null;
  readonly failures: readonly string[];
}

export interface RpcCell {
  readonly shape: LoadShape;
  readonly results: readonly RpcResult[];
}

const warmUpMs = 300;

/** All contestants take turns, round after round, so that a slow moment of the machine hits all. */
export async function measureRpcCell(options: RpcCellOptions, signal: AbortSignal): Promise<RpcCell> {
  const { contestants, shape, rounds, turnMs } = options;
  const turns = contestants.map((contestant) => ({ contestant, turns: new Array<Turn>() }));
  for (let round = 0; round < rounds; round++) {
    // Everyone is first once: what one leaves behind (heat, freed memory) hits each.
    for (let place = 0; place < turns.length; place++) {
      signal.throwIfAborted();
      const entry = turns[(place + round) % turns.length];
      entry?.turns.push(await entry.contestant.turn({ ...shape, warmUpMs, durationMs: turnMs }, signal));
    }
  }
  const [first] = turns;
  if (first === undefined) throw new RangeError(`Nothing is compared at ${formatLoadShape(shape)}`);
  return { shape, results: turns.map((entry) => summarize(entry.contestant.name, entry.turns, first.turns)) };
}

function summarize(name: string, turns: readonly Turn[], first: readonly Turn[]): RpcResult {
  const rates = turns.map(({ ratePerSecond }) => ratePerSecond);
  const cpuUs = medianOrNull(turns.map((turn) => turn.cpuUs));
  const firstCpuUs = medianOrNull(first.map((turn) => turn.cpuUs));
  return {
    name,
    rate: spread(rates),
    p50Ms: median(turns.map(({ latency }) => latency.p50Ms)),
    p99Ms: median(turns.map(({ latency }) => latency.p99Ms)),
    cpuUs,
    allocatedBytes: medianOrNull(turns.map(({ allocatedBytes }) => allocatedBytes)),
    ratio: pairedRatios(
      first.map(({ ratePerSecond }) => ratePerSecond),
      rates,
    ),
    cpuRatio: cpuUs === null || firstCpuUs === null ? null : cpuUs / firstCpuUs,
    failures: turns.flatMap(({ failure }) => (failure === null ? [] : [failure])),
  };
}

function medianOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}
