import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { exitCode } from "../exit-code.ts";
import { ProgramError } from "../terminal.ts";
import type { ClusterOptions } from "./port-plan.ts";

/** What the members were founded with and keep in their logs; a later start must agree. Client ports may change. */
interface ClusterRecord {
  readonly nodes: number;
  readonly peerPort: number;
}

const fileName = "cluster.json";

/**
 * Makes the data directory and writes down how many members the cluster has, or compares with what was written down.
 * Throws ProgramError if the cluster in the directory is another one.
 */
export function checkClusterRecord(options: ClusterOptions): void {
  const path = join(options.dataDir, fileName);
  const text = readIfThere(path);
  if (text === null) {
    makeDirectories(resolve(options.dataDir));
    const record: ClusterRecord = { nodes: options.nodes, peerPort: options.peerPort };
    writeFileSync(path, `${JSON.stringify(record)}\n`);
    return;
  }
  const record = parseRecord(text, path);
  if (record.nodes !== options.nodes) {
    const fix = `start it with --nodes ${record.nodes}, or choose another --data-dir`;
    throw new ProgramError(exitCode.error, `${options.dataDir} holds a cluster of ${record.nodes} members, not ${options.nodes}: ${fix}`);
  }
  if (record.peerPort !== options.peerPort) {
    const fix = `start it with --peer-port ${record.peerPort}, or choose another --data-dir`;
    throw new ProgramError(
      exitCode.error,
      `${options.dataDir} holds a cluster with peer ports from ${record.peerPort}, not ${options.peerPort}: ${fix}`,
    );
  }
}

/** One by one: Node's own recursive way never ends where a directory can't be made, as under /proc. */
function makeDirectories(path: string): void {
  if (existsSync(path)) return;
  makeDirectories(dirname(path));
  mkdirSync(path);
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw new ProgramError(exitCode.error, `${path} could not be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parseRecord(text: string, path: string): ClusterRecord {
  let found: unknown = null;
  try {
    found = JSON.parse(text);
  } catch {
    // The sentence below says it.
  }
  if (typeof found === "object" && found !== null && "nodes" in found && "peerPort" in found) {
    const { nodes, peerPort } = found;
    if (typeof nodes === "number" && typeof peerPort === "number") return { nodes, peerPort };
  }
  throw new ProgramError(exitCode.error, `${path} is damaged: remove it if you know how many members the cluster has`);
}
