import { formatLoadShape, type LoadShape } from "../load/load-shape.ts";
import type { ProgramOutput } from "../program.ts";
import type { Contestant } from "./contestant.ts";
import { measureRpcCell, type RpcCell } from "./rpc-cell.ts";
import type { RpcBenchOptions, RpcPartName } from "./rpc-options.ts";

/** What is compared under the same loads. */
export interface RpcPart {
  readonly name: RpcPartName;
  readonly shapes: readonly LoadShape[];
  /** Ours first. */
  readonly contestants: readonly Contestant[];
}

export interface RpcPartResult {
  readonly name: RpcPartName;
  readonly cells: readonly RpcCell[];
}

/** Cell after cell. Rejects with the reason of the signal. */
export async function measureRpcPart(
  part: RpcPart,
  { rounds, turnMs, shapes }: RpcBenchOptions,
  output: ProgramOutput,
  signal: AbortSignal,
): Promise<RpcPartResult> {
  const cells: RpcCell[] = [];
  for (const shape of shapes ?? part.shapes) {
    output.progress(`${part.name} ${formatLoadShape(shape)}`);
    cells.push(await measureRpcCell({ contestants: part.contestants, shape, rounds, turnMs }, signal));
  }
  return { name: part.name, cells };
}
