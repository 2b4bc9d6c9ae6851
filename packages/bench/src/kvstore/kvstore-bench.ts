import { availableParallelism, cpus, loadavg } from "node:os";
import { exitFaulty, exitOk, type ProgramOutput } from "../program.ts";
import { BtreeStore } from "./btree-store.ts";
import { measureHistory } from "./history-run.ts";
import type { KvstoreBenchOptions } from "./kvstore-options.ts";
import { KvstoreOrderedStore } from "./kvstore-ordered-store.ts";
import { formatHistory, formatOperations } from "./kvstore-report.ts";
import { judgeKvstoreTargets } from "./kvstore-targets.ts";
import { measureOperations, type OperationResult } from "./operation-run.ts";
import type { OrderedStore } from "./ordered-store.ts";
import { SortedArrayStore } from "./sorted-array-store.ts";

/** Ours is the first. Made one after the other, so that each has the memory for itself. */
const makers: readonly (() => OrderedStore)[] = [() => new KvstoreOrderedStore(), () => new BtreeStore(), () => new SortedArrayStore()];

/** Measures one store after the other, each alone in memory. Resolves to the exit status. Rejects with the reason of the signal. */
export async function runKvstoreBench(options: KvstoreBenchOptions, output: ProgramOutput, signal: AbortSignal): Promise<number> {
  const [load = 0] = loadavg();
  output.line(
    `machine  ${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? "unknown"}, load ${load.toFixed(1)} before, Node.js ${process.version}`,
  );
  output.line(`${options.keyCount} keys of ${options.keyBytes} bytes, values of ${options.valueBytes}`);
  const results: (readonly OperationResult[])[] = [];
  for (const make of makers) {
    const store = make();
    output.progress(`operations of ${store.name}`);
    results.push(measureOperations(store, options));
    await giveWay(signal);
  }
  output.progress("history");
  const history = measureHistory(options);
  output.line("");
  const [ours = []] = results;
  for (const line of formatOperations(ours.flatMap((_, place) => results.flatMap((each) => each.slice(place, place + 1)))))
    output.line(line);
  output.line("");
  for (const line of formatHistory(history)) output.line(line);
  if (!options.check) return exitOk;
  const verdicts = judgeKvstoreTargets(ours, history);
  for (const { sentence, isMet } of verdicts) output.line(`${isMet ? "met   " : "MISSED"}  ${sentence}`);
  return verdicts.every(({ isMet }) => isMet) ? exitOk : exitFaulty;
}

/** Lets signals come in between two measurements. */
async function giveWay(signal: AbortSignal): Promise<void> {
  await new Promise(setImmediate);
  signal.throwIfAborted();
}
