import type { DataOutcome, DataReport, FileReport } from "@raftkv/server";
import { plainTable } from "./plain-table.ts";
import { sizeText } from "./status-table.ts";

/** What comes of it, and what there is to do. */
const consequences: Readonly<Record<DataOutcome, string>> = {
  empty: "A start would make a new member here",
  sound: "A start goes on with all of it",
  repair:
    "Start the member again: it takes part without a vote until a leader has sent it what is missing. One that is alone in its cluster refuses to start: put back a copy of the directory, or begin anew",
  quarantine:
    "A start takes part in nothing: an emptied directory would be refused by the other members, and this member stays out until an embedding program replaces it by a change of members",
  refused: "A start ends with this error",
};

/** What `raftkv check-data` prints: every file, what they add up to, and the verdict in the last lines. */
export function dataReportText(report: DataReport): string {
  const files = plainTable(["file", "size", "verdict", "holds"], report.files.map(fileRow), ["size"]);
  const findings = report.files.filter(isFinding).map(({ path, verdict, detail }) => `${path}: ${verdict}, ${detail}`);
  const lines = [
    ...findings,
    ...memberLines(report),
    ...report.covered.map((what) => `costs nothing: ${what}`),
    `verdict: ${report.outcome}${report.errorCode === null ? "" : ` (${report.errorCode})`}. ${report.summary}`,
    consequences[report.outcome],
  ];
  return `${files}${lines.join("\n")}\n`;
}

/** What is found in such a file is a sentence, and stands below the table. */
function isFinding({ verdict }: FileReport): boolean {
  return verdict !== "sound" && verdict !== "unused";
}

function fileRow(file: FileReport): readonly string[] {
  return [file.path, sizeText(file.sizeBytes), file.verdict, isFinding(file) ? "see below" : file.detail];
}

function memberLines({ meta, log, decision }: DataReport): readonly string[] {
  const lines: string[] = [];
  if (meta !== null) {
    lines.push(`member ${meta.memberId} of cluster ${meta.clusterId}, store ${meta.storeId}`);
    // The last 13 digits are in the bits of an id that a vote has.
    const vote = meta.vote === null ? "for nobody" : `for the member whose id ends in ${meta.vote.slice(3)}`;
    lines.push(`term ${meta.term}, vote ${vote}, started ${meta.bootGeneration} times`);
  }
  if (log !== null) {
    const snapshot = log.snapshotIndex === 0 ? "no snapshot" : `snapshot at log index ${log.snapshotIndex}`;
    const entries = log.lastIndex < log.firstIndex ? "no entries" : `entries ${log.firstIndex} to ${log.lastIndex}`;
    lines.push(`${snapshot}, ${entries}, last term ${log.lastTerm}${decision === null ? "" : ` (${decision})`}`);
  }
  return lines;
}
