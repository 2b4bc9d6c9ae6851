import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type KillCounts, runKillLoop } from "./kill-loop.ts";
import { runStorageProgram, type StorageProgramOptions } from "./storage-program.ts";

/**
 * `npm run soak -w packages/server -- [--cycles 1000] [--seed 1]`: kills a working log store so many times and checks what each kill left.
 * The same file is the program that is killed.
 */

const usage = "Usage: npm run soak -w packages/server -- [--cycles COUNT] [--seed NUMBER]\n";
const reportEvery = 100;

async function main(args: readonly string[]): Promise<number> {
  const [first] = args;
  if (first?.startsWith("{") === true) return runStorageProgram(JSON.parse(first) as StorageProgramOptions);
  const { values } = parseArgs({ args: [...args], options: { cycles: { type: "string" }, seed: { type: "string" } } });
  const [cycles, seed] = [Number(values.cycles ?? 1_000), Number(values.seed ?? 1)];
  if (!Number.isSafeInteger(cycles) || cycles < 1 || !Number.isSafeInteger(seed)) {
    process.stderr.write(usage);
    return 64;
  }
  const onCycle = (counts: KillCounts): void => {
    if (counts.cycles % reportEvery === 0 || counts.cycles === cycles) process.stdout.write(`${JSON.stringify(counts)}\n`);
  };
  await runKillLoop({ program: fileURLToPath(import.meta.url), seed, cycles, onCycle });
  process.stdout.write(`Nothing that was acknowledged is missing after ${cycles} kills, seed ${seed}\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
