/** What opening does about one finding. */
export type LogAction = "serve" | "rewrite" | "cut" | "cut and rewrite" | "skip" | "repair";

/** What was found where a log ends or breaks off. */
export interface LogFinding {
  /** `missing`: a segment that must be there is gone, cut off, unreadable or without header. */
  readonly segments: "present" | "missing";
  /** What follows the last batch that is sound: nothing but zeros, a batch with sectors of zeros, or bytes that are wrong. */
  readonly after: "zero" | "torn" | "whole";
  /** Whether everything is there that is proven to have been synced. */
  readonly provenFrames: "all" | "some";
  /** Whether sound frames come after the last one that is proven to have been synced. */
  readonly unprovenFrames: "none" | "some";
  /** Whether a snapshot and what is sound after it need nothing of what is damaged. */
  readonly covered: "yes" | "no";
}

/** What was found of the snapshots. */
export interface SnapshotFinding {
  /** The one that is in force by the log and the meta file. */
  readonly newest: "sound" | "bad" | "none";
  /** The newest of the others; not looked for beside a sound one. */
  readonly other: "sound" | "none";
  /** Whether the newest part of the log goes on from that snapshot, or reaches back to index 1 if there is none. */
  readonly log: "joins" | "apart";
}

export type SnapshotAction = "use it" | "use the other" | "replay the log" | "repair";

/** A row matches if each of its columns is the value found or is left out. */
export interface DecisionRow<Finding, Action> {
  readonly name: string;
  readonly when: { readonly [Column in keyof Finding]?: readonly Finding[Column][] };
  readonly action: Action;
}

/** In front of the rows: a segment that nothing needs is no finding, and neither is one that a compaction removed. */
export const logRows: readonly DecisionRow<LogFinding, LogAction>[] = [
  {
    name: "L1",
    when: { segments: ["present"], after: ["zero"], provenFrames: ["all"], unprovenFrames: ["none"] },
    action: "serve",
  },
  {
    name: "L2",
    when: { segments: ["present"], after: ["zero"], provenFrames: ["all"], unprovenFrames: ["some"] },
    action: "rewrite",
  },
  { name: "L3", when: { segments: ["present"], after: ["torn"], provenFrames: ["all"], unprovenFrames: ["none"] }, action: "cut" },
  {
    name: "L4",
    when: { segments: ["present"], after: ["torn"], provenFrames: ["all"], unprovenFrames: ["some"] },
    action: "cut and rewrite",
  },
  { name: "L5", when: { segments: ["present"], after: ["whole"], provenFrames: ["all"] }, action: "repair" },
  { name: "L6", when: { segments: ["present"], provenFrames: ["some"], covered: ["no"] }, action: "repair" },
  { name: "L7", when: { segments: ["present"], provenFrames: ["some"], covered: ["yes"] }, action: "skip" },
  { name: "L8", when: { segments: ["missing"], covered: ["no"] }, action: "repair" },
  { name: "L9", when: { segments: ["missing"], covered: ["yes"] }, action: "skip" },
];

/** S5 is no row: beside a sound log, a file that no mark names was never in force and is removed. */
export const snapshotRows: readonly DecisionRow<SnapshotFinding, SnapshotAction>[] = [
  { name: "S1", when: { newest: ["sound"], log: ["joins"] }, action: "use it" },
  { name: "S2", when: { newest: ["bad", "none"], other: ["sound"], log: ["joins"] }, action: "use the other" },
  { name: "S3", when: { newest: ["bad", "none"], other: ["none"], log: ["joins"] }, action: "replay the log" },
  { name: "S4", when: { newest: ["bad", "none"], log: ["apart"] }, action: "repair" },
  { name: "S6", when: { newest: ["sound"], log: ["apart"] }, action: "repair" },
];

/** All rows that match; a test proves that it is one, whatever was found. */
export function matchingRows<Finding, Action>(
  rows: readonly DecisionRow<Finding, Action>[],
  finding: Finding,
): readonly DecisionRow<Finding, Action>[] {
  return rows.filter(({ when }) => {
    for (const column in when) {
      const values = when[column];
      if (values !== undefined && !values.includes(finding[column])) return false;
    }
    return true;
  });
}
