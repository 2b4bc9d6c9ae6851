import type { RpcRandom } from "../rpc-clock.ts";

export interface BackOffOptions {
  /** Before the second attempt. Default 100 ms. */
  readonly initialMs: number;
  /** Default 5 s. */
  readonly maxMs: number;
  /** Default 1.6, as in gRPC's connection back-off. */
  readonly factor: number;
  /** The wait is drawn from [1 - jitter, 1 + jitter) of the step, so that clients of a failed server do not come back together. Default 0.2. */
  readonly jitter: number;
}

export const defaultBackOff: BackOffOptions = { initialMs: 100, maxMs: 5000, factor: 1.6, jitter: 0.2 };

const jitterSteps = 1 << 20;

/** The wait after `failures` (1 or more) attempts that failed one after another. */
export function backOffMs(options: BackOffOptions, failures: number, random: RpcRandom): number {
  const stepMs = Math.min(options.initialMs * options.factor ** (failures - 1), options.maxMs);
  const share = random.below(jitterSteps) / jitterSteps;
  return stepMs * (1 + options.jitter * (2 * share - 1));
}
