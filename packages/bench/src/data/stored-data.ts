import { decodeRangeResponse } from "@raftkv/api";
import type { BenchOptions } from "../bench-options.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { openChannel } from "../cluster/member-channel.ts";
import { type KeySource, LimitedKeys, RandomKeys } from "../load/key-source.ts";
import { KeySpace } from "../load/key-space.ts";
import { generateLoad, type LoadResult } from "../load/load-generator.ts";
import type { LoadShape } from "../load/load-shape.ts";
import { SeededRandom } from "../load/seeded-random.ts";
import { buildFilling, rangePath, rangeRequest } from "../load/workload.ts";
import { withChannels } from "../test-bed.ts";
import { dataSet, fillingShape } from "./data-options.ts";

/** A load, and what it cost the leader for each answer, in microseconds of CPU; null where the system does not tell. */
export interface MeteredLoad extends LoadResult {
  readonly leaderUs: number | null;
}

const countTimeoutMs = 60_000;

/** A cluster that is filled step by step with numbered keys. */
export class StoredData {
  readonly cluster: Cluster;
  readonly #keys: KeySpace;
  readonly #seed: number;
  #stored = 0;

  constructor(cluster: Cluster, keyCount: number, { seed }: Pick<BenchOptions, "seed">) {
    const { keyBytes, valueBytes } = dataSet;
    this.cluster = cluster;
    this.#seed = seed;
    this.#keys = new KeySpace({ count: keyCount, keyBytes, valueBytes, seed });
  }

  get stored(): number {
    return this.#stored;
  }

  /** Puts the keys up to number `count` that are not there yet. Rejects with a sentence if one is refused. */
  async fillUpTo(count: number, signal: AbortSignal): Promise<void> {
    let next = this.#stored;
    const rest: KeySource = { next: () => (next < count ? next++ : -1) };
    const { errors } = await this.#put(rest, fillingShape, Number.POSITIVE_INFINITY, signal);
    const [sentence] = errors.keys();
    if (sentence !== undefined) throw new Error(`${this.cluster.system.name} did not take all keys: ${sentence}`);
    this.#stored = count;
  }

  /** Puts stored keys at random for `durationMs`. */
  putAgain(shape: LoadShape, durationMs: number, signal: AbortSignal): Promise<MeteredLoad> {
    return this.#put(new RandomKeys(new SeededRandom(this.#seed), this.#stored), shape, durationMs, signal);
  }

  /** As `putAgain`, but a number of puts. */
  putSome(count: number, shape: LoadShape, signal: AbortSignal): Promise<MeteredLoad> {
    const keys = new LimitedKeys(new RandomKeys(new SeededRandom(this.#seed), this.#stored), count);
    return this.#put(keys, shape, Number.POSITIVE_INFINITY, signal);
  }

  /** Keys that a linearizable read through the member on this port counts; null if it does not answer. */
  async countThrough(clientPort: number): Promise<number | null> {
    const channel = openChannel(clientPort);
    try {
      const { key, rangeEnd } = this.#keys.range;
      const answer = await channel.unary(rangePath, rangeRequest(key, { rangeEnd, countOnly: true }), {
        timeoutMs: countTimeoutMs,
        failFast: true,
      });
      return decodeRangeResponse(answer).count;
    } catch {
      return null;
    } finally {
      await channel.close();
    }
  }

  async #put(keys: KeySource, shape: LoadShape, durationMs: number, signal: AbortSignal): Promise<MeteredLoad> {
    const { cluster } = this;
    await cluster.waitForLeader(signal);
    return withChannels(cluster, shape.connections, async (channels) => {
      const before = cluster.cpu();
      const workload = buildFilling(this.#keys);
      const load = await generateLoad({ channels, inFlight: shape.inFlight, workload, keys, durationMs, ledger: null, signal });
      const after = cluster.cpu();
      const leaderUs = before === null || after === null ? null : ((after.leaderMs - before.leaderMs) * 1000) / Math.max(load.answers, 1);
      return { ...load, leaderUs };
    });
  }
}
