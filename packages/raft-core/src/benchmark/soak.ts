import { EVENTS, playRandomRun } from "../testing/random-run.ts";
import type { RunTheme } from "../testing/random-setup.ts";

/** `npm run soak -- --seeds 100000 --from 1 --events 6000`: many more random clusters than the tests play. Prints each seed that fails. */
const THEMES: readonly RunTheme[] = ["free", "leases", "fixed", "damaged", "ruined"];

function option(name: string, byDefault: number): number {
  const place = process.argv.indexOf(`--${name}`);
  return place < 0 ? byDefault : Number(process.argv[place + 1]);
}

function failureOf(seed: number, theme: RunTheme, events: number): string | null {
  try {
    playRandomRun({ seed, theme }, events);
    return null;
  } catch (reason) {
    return reason instanceof Error ? reason.message : String(reason);
  }
}

const from = option("from", 1);
const seeds = option("seeds", 10_000);
const events = option("events", EVENTS);
let failed = 0;
for (let seed = from; seed < from + seeds; seed++) {
  for (const theme of THEMES) {
    const failure = failureOf(seed, theme, events);
    if (failure === null) continue;
    failed++;
    process.stdout.write(`FAIL seed ${seed} of the theme ${theme} at ${failure}\n`);
  }
}
process.stdout.write(`${seeds} seeds of ${THEMES.length} themes, ${failed} failed\n`);
if (failed > 0) process.exitCode = 1;
