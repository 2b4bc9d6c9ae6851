import type { Channel } from "@raftkv/raft-rpc";
import type { BenchOptions } from "../bench-options.ts";
import type { SystemName } from "../cluster/system.ts";
import { LimitedKeys, RandomKeys } from "../load/key-source.ts";
import { generateLoad } from "../load/load-generator.ts";
import { SeededRandom } from "../load/seeded-random.ts";
import { type Subject, type TestBed, withChannels } from "../test-bed.ts";
import { eventsOfPut, type WatchScenario } from "./watch-scenario.ts";
import { WatcherFleet } from "./watcher-fleet.ts";

/** One turn of one system. */
export interface WatchRound {
  /** From the first put until the last event. */
  readonly durationMs: number;
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly putP99Ms: number;
  /** CPU time of the leader per event, in microseconds. Null where the system does not tell. */
  readonly leaderUs: number | null;
  /** CPU time of this program per event, in microseconds. */
  readonly generatorUs: number;
  /** Sentences; empty: every put was acknowledged, and every watcher got every event. */
  readonly problems: readonly string[];
}

/** A scenario, for every system. */
export interface WatchCell {
  readonly scenario: WatchScenario;
  readonly rounds: ReadonlyMap<SystemName, readonly WatchRound[]>;
}

/** As so many clients would have: etcd's and RaftKV's put all their watchers on one stream of one connection. */
const watchConnections = 10;
/** How long events are waited for after the last put. */
const drainMs = 30_000;

/** Measures one scenario, the systems in turns. Rejects if watchers can't be made, or with the reason of the signal. */
export async function measureWatch(bed: TestBed<BenchOptions>, scenario: WatchScenario, signal: AbortSignal): Promise<WatchCell> {
  const { rounds, seed } = bed.options;
  const measured = new Map<SystemName, WatchRound[]>(bed.subjects.map(({ cluster }) => [cluster.system.name, []]));
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 1 ? bed.subjects : bed.subjects.toReversed();
    for (const subject of order) {
      const result = await takeWatchTurn({ bed, subject, scenario, seed: seed + round }, signal);
      // The first round warms up.
      if (round > 0) measured.get(subject.cluster.system.name)?.push(result);
    }
  }
  return { scenario, rounds: measured };
}

interface WatchTurn {
  readonly bed: TestBed;
  readonly subject: Subject;
  readonly scenario: WatchScenario;
  readonly seed: number;
}

async function takeWatchTurn(turn: WatchTurn, signal: AbortSignal): Promise<WatchRound> {
  const { cluster } = turn.subject;
  const { shape } = turn.scenario;
  await cluster.waitForLeader(signal);
  return withChannels(cluster, shape.connections, (putting) => putWhileWatched(turn, putting, signal));
}

async function putWhileWatched(
  { bed, subject, scenario, seed }: WatchTurn,
  putting: readonly Channel[],
  signal: AbortSignal,
): Promise<WatchRound> {
  const { watchers, watchedKeys, puts, shape } = scenario;
  const { cluster, ledger } = subject;
  const keys = Array.from({ length: watchers }, (_, watcher) => bed.keys.key(watcher % watchedKeys));
  const fleet = await WatcherFleet.open(cluster.leader.process.plan.clientPort, watchConnections, keys);
  try {
    const cpuBefore = cluster.cpu();
    const generatorBefore = process.cpuUsage();
    const startMs = performance.now();
    const load = await generateLoad({
      channels: putting,
      inFlight: shape.inFlight,
      workload: bed.workload("put"),
      keys: new LimitedKeys(new RandomKeys(new SeededRandom(seed), watchedKeys), puts),
      durationMs: Number.POSITIVE_INFINITY,
      ledger,
      signal,
    });
    const expected = load.answers * eventsOfPut(scenario);
    await fleet.waitForEvents(expected, drainMs);
    const durationMs = performance.now() - startMs;
    const generator = process.cpuUsage(generatorBefore);
    const cpuAfter = cluster.cpu();
    const { events } = fleet;
    const perEvent = (ms: number): number => (ms * 1000) / Math.max(events, 1);
    const missing = events === expected ? [] : [`${events} events came, ${expected} were expected`];
    const refused = [...load.errors].map(([sentence, count]) => `${count} times ${sentence}`);
    return {
      durationMs,
      events,
      eventsPerSecond: (events / durationMs) * 1000,
      putP99Ms: load.p99Ms,
      leaderUs: cpuBefore === null || cpuAfter === null ? null : perEvent(cpuAfter.leaderMs - cpuBefore.leaderMs),
      generatorUs: perEvent((generator.user + generator.system) / 1000),
      problems: [...missing, ...refused],
    };
  } finally {
    fleet.close();
  }
}
