import { parseArgs } from "node:util";
import { playRepairRun, type RepairTheme, repairThemes } from "./repair-run.ts";
import { RunTotals } from "./run-totals.ts";

/**
 * `npm run soak -w packages/simulator -- [--seeds 1000] [--from 1] [--theme repair|quarantine|ruin]`: many more clusters with damaged
 * disks than the tests play. Prints each seed that fails.
 */

const usage = `Usage: npm run soak -w packages/simulator -- [--seeds COUNT] [--from SEED] [--theme ${repairThemes.join("|")}]\n`;
const reportEvery = 10;

async function main(args: readonly string[]): Promise<number> {
  const options = { seeds: { type: "string" }, from: { type: "string" }, theme: { type: "string" } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const [seeds, from] = [Number(values.seeds ?? 1_000), Number(values.from ?? 1)];
  const themes = repairThemes.filter((theme) => values.theme === undefined || theme === values.theme);
  if (!Number.isSafeInteger(seeds) || seeds < 1 || !Number.isSafeInteger(from) || from < 0 || themes.length === 0) {
    process.stderr.write(usage);
    return 64;
  }
  const totals = new RunTotals();
  let failed = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    for (const theme of themes) failed += (await isSound(seed, theme, totals)) ? 0 : 1;
    if ((seed - from + 1) % reportEvery === 0) process.stdout.write(`${totals.text}\n`);
  }
  process.stdout.write(`${totals.text}\n${failed} of ${seeds * themes.length} runs failed\n`);
  return failed === 0 ? 0 : 1;
}

async function isSound(seed: number, theme: RepairTheme, totals: RunTotals): Promise<boolean> {
  try {
    totals.add(await playRepairRun({ seed, theme }));
    return true;
  } catch (reason) {
    process.stdout.write(`FAIL ${reason instanceof Error ? reason.message : String(reason)}\n`);
    return false;
  }
}

process.exitCode = await main(process.argv.slice(2));
