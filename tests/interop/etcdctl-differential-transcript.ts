import { type CommandResult, runCommandLine } from "../support/command-line.ts";
import { etcdctlEnvironment } from "../support/etcdctl.ts";
import type { Step } from "./etcdctl-differential-script.ts";

/** A program that takes etcdctl's arguments. */
export interface Speaker {
  readonly program: string;
  /** Before those of the step. */
  readonly args: readonly string[];
  /** Resolves when every member that may be asked has what was acknowledged before. */
  readonly upToDate: () => Promise<unknown>;
}

/** What a step came to, in a form that can be compared. */
export interface TranscriptEntry {
  readonly step: string;
  readonly status: number;
  readonly out: string;
}

/** Runs every step, one after the other. */
export async function runScript(script: readonly Step[], speaker: Speaker): Promise<readonly TranscriptEntry[]> {
  const remembered = new Map<string, string>();
  const entries: TranscriptEntry[] = [];
  for (const step of script) {
    await speaker.upToDate();
    const { status, out } = await runStep(step, speaker, remembered);
    const { name, pattern } = step.remember ?? { name: "", pattern: null };
    if (pattern !== null) remembered.set(name, pattern.exec(out)?.[1] ?? "");
    const input = step.input === undefined ? "" : ` <<< ${JSON.stringify(step.input)}`;
    entries.push({ step: `${step.line}${input}`, status, out: comparable(out) });
  }
  return entries;
}

function runStep(step: Step, { program, args }: Speaker, remembered: ReadonlyMap<string, string>): Promise<CommandResult> {
  const filled = (text: string): string => text.replace(/\$(\w+)/g, (whole, name: string) => remembered.get(name) ?? whole);
  const { line, input, interruptAfterLines, endInputAfterLines } = step;
  return runCommandLine({
    program,
    args: [...args, ...(step.args ?? line.split(" ")).map(filled)],
    environment: { ...etcdctlEnvironment, RAFTKV_DIAL_TIMEOUT: "60s", RAFTKV_COMMAND_TIMEOUT: "60s" },
    ...(input === undefined ? {} : { input: filled(input) }),
    ...(interruptAfterLines === undefined ? {} : { interruptAfterLines }),
    ...(endInputAfterLines === undefined ? {} : { endInputAfterLines }),
  });
}

/** What two runs of the same script may differ in, each with the reason. Everything else has to be equal. */
const variations: readonly (readonly [RegExp, string])[] = [
  // Ids of clusters and members come from their ports, and any member may have answered.
  [/("cluster_id":|"member_id":|"ID":|"id":|"leader":|"lease":|"(?:Cluster|Member)?ID" : |"Leader" : |"Lease" : )[1-9]\d*/g, "$1ID"],
  // Terms come from the elections that there happened to be, indexes also from what members tell each other.
  [/("raft_term":|"raftTerm":|"raftIndex":|"raftAppliedIndex":|"Raft(?:Term|Index|AppliedIndex)" : )[1-9]\d*/g, "$1N"],
  // Ids of leases are drawn by the server for etcdctl, and by the client for raftkv; in keys they have as many digits as they need.
  [/\b(m|office)\/[0-9a-f]+/g, "$1/LEASE"],
  // Ids of leases and members, in hex; one that begins with zeros is shorter.
  [/\b[0-9a-f]{12,16}\b/g, "HEX"],
  // The key of a lock, in base64.
  [/"key":"bS8[^"]*"/g, '"key":"LOCK"'],
  // Ports are whatever was free.
  [/127\.0\.0\.1:\d+/g, "HOST"],
  // Members stand in the order of their ids.
  [/\bn[1-3]\b/g, "NAME"],
  // How long something took, and how much of a lease is left.
  [/\d+(?:\.\d+)?(?:ms|µs)\b/g, "TIME"],
  [/(remaining\(|"ttl":|"TTL" : )[1-9]\d*/g, "$1LEFT"],
  // Sizes of files, and hashes of the ids of leases, for one.
  [/\b\d+(?:\.\d+)? (?:B|kB|MB)\b/g, "SIZE"],
  [/("dbSize":|"dbSizeInUse":|"hash":|"DBSize" : |"Hash" : |HOST, )\d+/g, "$1N"],
  // The same in rows and tables: the width of a column is that of its longest number.
  [/(, (?:true|false), (?:true|false)), \d+, \d+, \d+,/g, "$1, N, N, N,"],
];

/** One form for all that may be written in several ways. */
export function comparable(out: string): string {
  // For an option that does not exist etcdctl prints its whole help; raftkv says on standard error what is wrong, and that help exists.
  let text = out.startsWith("NAME:\n") ? "" : out;
  for (const [pattern, instead] of variations) text = text.replace(pattern, instead);
  if (text.startsWith("+--")) return sorted(withoutWidths(text));
  return rowsOfMembers.test(text) ? sorted(text) : text;
}

/** One line for each member or endpoint. */
const rowsOfMembers = /^(?:(?:HEX|HOST|http:\/\/HOST), .*\n)+$/;

/** Which of the members leads is chance. */
function sorted(rows: string): string {
  return rows.split("\n").sort().join("\n");
}

/** Of a table, the cells. */
function withoutWidths(table: string): string {
  return table
    .replace(/-+/g, "-")
    .replace(/ +/g, " ")
    .replace(/\| \d+ (?=\|)/g, "| N ");
}
