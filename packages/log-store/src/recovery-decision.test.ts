import { describe, expect, test } from "vitest";
import { type LogFinding, logRows, matchingRows, type SnapshotFinding, snapshotRows } from "./recovery-decision.ts";

const logFindings: readonly LogFinding[] = (["present", "missing"] as const).flatMap((segments) =>
  (["zero", "torn", "whole"] as const).flatMap((after) =>
    (["all", "some"] as const).flatMap((provenFrames) =>
      (["none", "some"] as const).flatMap((unprovenFrames) =>
        (["yes", "no"] as const).map((covered) => ({ segments, after, provenFrames, unprovenFrames, covered })),
      ),
    ),
  ),
);

const snapshotFindings: readonly SnapshotFinding[] = (["sound", "bad", "none"] as const).flatMap((newest) =>
  (["sound", "none"] as const).flatMap((other) => (["joins", "apart"] as const).map((log) => ({ newest, other, log }))),
);

describe("the decision tables", () => {
  test("have exactly one row for whatever is found of the log", () => {
    expect(logFindings).toHaveLength(48);
    for (const finding of logFindings) expect(matchingRows(logRows, finding), JSON.stringify(finding)).toHaveLength(1);
  });

  test("have exactly one row for whatever is found of the snapshots", () => {
    expect(snapshotFindings).toHaveLength(12);
    for (const finding of snapshotFindings) expect(matchingRows(snapshotRows, finding), JSON.stringify(finding)).toHaveLength(1);
  });

  test("have no row that nothing leads to", () => {
    const reached = [
      ...logFindings.flatMap((finding) => matchingRows(logRows, finding)),
      ...snapshotFindings.flatMap((finding) => matchingRows(snapshotRows, finding)),
    ];
    expect(new Set(reached.map(({ name }) => name)).size).toBe(logRows.length + snapshotRows.length);
  });

  test("serve nothing where proven frames are gone and nothing covers them", () => {
    for (const finding of logFindings) {
      const isLoss = finding.covered === "no" && (finding.segments === "missing" || finding.provenFrames === "some");
      const isWrongEnd = finding.segments === "present" && finding.provenFrames === "all" && finding.after === "whole";
      const [row] = matchingRows(logRows, finding);
      expect(row?.action === "repair", JSON.stringify(finding)).toBe(isLoss || isWrongEnd);
    }
  });
});
