import { setTimeout as pause } from "node:timers/promises";
import type { Channel } from "@raftkv/raft-rpc";
import type { BenchOptions } from "./bench-options.ts";
import type { SystemName } from "./cluster/system.ts";
import { RandomKeys } from "./load/key-source.ts";
import { generateLoad, type LoadResult } from "./load/load-generator.ts";
import type { LoadShape } from "./load/load-shape.ts";
import { SeededRandom } from "./load/seeded-random.ts";
import type { WorkloadName } from "./load/workload.ts";
import { type Subject, type TestBed, withChannels } from "./test-bed.ts";

/** CPU time per answered request, in microseconds. */
export interface RequestCpu {
  readonly leaderUs: number;
  /** Of both followers together. */
  readonly followersUs: number;
}

/** One turn of one system. */
export interface Round extends LoadResult {
  /** Null where the system does not tell. */
  readonly cpu: RequestCpu | null;
  /** CPU time of this program per answered request, in microseconds. */
  readonly generatorUs: number;
  /** Another member led at the end than at the start: requests went through a follower. */
  readonly leaderMoved: boolean;
}

/** A workload under a load, for every system. */
export interface Cell {
  readonly workload: WorkloadName;
  readonly shape: LoadShape;
  /** By system; the rounds of the systems were made in turns. */
  readonly rounds: ReadonlyMap<SystemName, readonly Round[]>;
}

/** Between two turns, for what the system before still does: etcd commits to its database every 100 ms. */
const settleMs = 250;

/** Measures one cell. Rejects if a cluster loses its leader for long, or with the reason of the signal. */
export async function measureCell(
  bed: TestBed<BenchOptions>,
  workload: WorkloadName,
  shape: LoadShape,
  signal: AbortSignal,
): Promise<Cell> {
  const { rounds, roundMs, warmUpMs, seed } = bed.options;
  const measured = new Map<SystemName, Round[]>(bed.subjects.map(({ cluster }) => [cluster.system.name, []]));
  const turn = (subject: Subject, turnSeed: number, durationMs: number): Promise<Round> =>
    takeTurn({ bed, subject, workload, shape, seed: turnSeed, durationMs }, signal);
  if (warmUpMs > 0) for (const subject of bed.subjects) await turn(subject, seed, warmUpMs);
  for (let round = 1; round <= rounds; round++) {
    // Both systems get the same keys, and take turns in being first.
    const order = round % 2 === 1 ? bed.subjects : bed.subjects.toReversed();
    for (const subject of order) measured.get(subject.cluster.system.name)?.push(await turn(subject, seed + round, roundMs));
  }
  return { workload, shape, rounds: measured };
}

/** One system under one load for `durationMs`. */
export interface Turn {
  readonly bed: TestBed;
  readonly subject: Subject;
  readonly workload: WorkloadName;
  readonly shape: LoadShape;
  /** Of the order of keys. */
  readonly seed: number;
  readonly durationMs: number;
}

/** Connects, waits until the machine is quiet, and measures. */
export async function takeTurn(turn: Turn, signal: AbortSignal): Promise<Round> {
  const { cluster } = turn.subject;
  await cluster.waitForLeader(signal);
  return withChannels(cluster, turn.shape.connections, async (channels) => {
    await pause(settleMs, undefined, { signal });
    return measureRound(turn, channels, signal);
  });
}

async function measureRound(turn: Turn, channels: readonly Channel[], signal: AbortSignal): Promise<Round> {
  const { bed, subject, workload, shape, seed, durationMs } = turn;
  const { cluster, ledger } = subject;
  const requests = bed.workload(workload);
  const cpuBefore = cluster.cpu();
  const generatorBefore = process.cpuUsage();
  const result = await generateLoad({
    channels,
    inFlight: shape.inFlight,
    workload: requests,
    keys: new RandomKeys(new SeededRandom(seed), bed.keys.count),
    durationMs,
    ledger: requests.writes ? ledger : null,
    signal,
  });
  const generator = process.cpuUsage(generatorBefore);
  const cpuAfter = cluster.cpu();
  const perRequest = (ms: number): number => (ms * 1000) / Math.max(result.answers, 1);
  return {
    ...result,
    generatorUs: perRequest((generator.user + generator.system) / 1000),
    cpu:
      cpuBefore === null || cpuAfter === null
        ? null
        : {
            leaderUs: perRequest(cpuAfter.leaderMs - cpuBefore.leaderMs),
            followersUs: perRequest(cpuAfter.followersMs - cpuBefore.followersMs),
          },
    leaderMoved: await cluster.waitForLeader(signal),
  };
}
