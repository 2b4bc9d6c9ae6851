import { etcdserverpb } from "@raftkv/api";
import type { SeededRandom } from "@raftkv/simulator";

export interface WatchCreation {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly startRevision: bigint;
  readonly watchId: bigint;
  readonly progressNotify: boolean;
  readonly prevKv: boolean;
  readonly fragment: boolean;
  readonly filters: readonly etcdserverpb.WatchCreateRequest_FilterType[];
}

/** A request on the stream of watches that is open all the time. */
export type WatchStep =
  | { readonly method: "watch"; readonly create: WatchCreation }
  | { readonly method: "cancelWatch"; readonly id: bigint }
  | { readonly method: "watchProgress" };

export interface WatchedRange {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  /** 0: from now on. */
  readonly revision: number;
}

const { NOPUT, NODELETE } = etcdserverpb.WatchCreateRequest_FilterType;
const idCount = 40;

export function randomWatchStep(random: SeededRandom, { key, rangeEnd, revision }: WatchedRange): WatchStep {
  const draw = random.below(10);
  if (draw < 4) return { method: "cancelWatch", id: BigInt(random.below(idCount)) };
  if (draw < 5) return { method: "watchProgress" };
  const create = {
    key,
    rangeEnd,
    startRevision: BigInt(revision),
    watchId: random.oneIn(4) ? BigInt(random.below(idCount)) : 0n,
    progressNotify: random.oneIn(2),
    prevKv: random.oneIn(2),
    fragment: random.oneIn(2),
    filters: random.oneIn(4) ? [random.pick([NOPUT, NODELETE])] : [],
  };
  return { method: "watch", create };
}
