import type { RepairReport } from "./repair-run.ts";

const counted = [
  "events",
  "crashes",
  "acknowledged",
  "reads",
  "termsLed",
  "repairsBegun",
  "repairsEnded",
  "repairsInterrupted",
  "quarantines",
  "electionsDuringRepair",
] as const;

/** What many runs did, together: a search that found nothing says what it looked at. */
export class RunTotals {
  runs = 0;
  leaderless = 0;
  readonly counts = new Map<string, number>();
  readonly damages = new Map<string, number>();

  add(report: RepairReport): void {
    this.runs++;
    if (report.end === "leaderless") this.leaderless++;
    for (const name of counted) raise(this.counts, name, report[name]);
    for (const [name, count] of report.damages) raise(this.damages, name, count);
  }

  of(name: (typeof counted)[number]): number {
    return this.counts.get(name) ?? 0;
  }

  get text(): string {
    return `${this.runs} runs, ${this.leaderless} leaderless at the end; ${listed(this.counts)}; damages: ${listed(this.damages)}`;
  }
}

function raise(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
}
