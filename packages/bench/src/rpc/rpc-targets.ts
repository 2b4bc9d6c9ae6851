import { formatLoadShape } from "../load/load-shape.ts";
import { formatNumber } from "../report/number-format.ts";
import type { RpcPartName } from "./rpc-options.ts";
import type { RpcPartResult } from "./rpc-part.ts";

export interface RpcVerdict {
  /** What was asked and what was found. */
  readonly sentence: string;
  readonly isMet: boolean;
}

interface RpcTarget {
  readonly part: RpcPartName;
  readonly load: string;
  /** Of our rate to that of @grpc/grpc-js. */
  readonly ratioMin: number;
}

const targets: readonly RpcTarget[] = [
  { part: "unary", load: "10x10", ratioMin: 8 },
  { part: "unary", load: "10x100", ratioMin: 12 },
  { part: "tls", load: "10x10", ratioMin: 4 },
  { part: "tls", load: "10x100", ratioMin: 4 },
  { part: "client", load: "10x10", ratioMin: 8 },
  { part: "client", load: "10x100", ratioMin: 8 },
];
const rival = "grpc-js";

/** A verdict for each target of what was measured. */
export function judgeRpcTargets(parts: readonly RpcPartResult[]): readonly RpcVerdict[] {
  return targets.flatMap(({ part, load, ratioMin }) => {
    const cell = parts.find(({ name }) => name === part)?.cells.find(({ shape }) => formatLoadShape(shape) === load);
    const ratio = cell?.results.find(({ name }) => name === rival)?.ratio.median;
    if (ratio === undefined) return [];
    const sentence = `${part} ${load}: ${formatNumber(ratio)} times the rate of ${rival}, at least ${ratioMin}`;
    return [{ sentence, isMet: ratio >= ratioMin }];
  });
}
