import type { QuarantineEvidence } from "@raftkv/raft-core";
import { type Disk, DiskError } from "@raftkv/raft-node";
import { crc32c } from "./crc32c.ts";
import { readSmallFile, replaceSmallFile } from "./small-file.ts";

export const QUARANTINE_NAME = "quarantine";
export const QUARANTINE_TEMP_NAME = "quarantine.tmp";

const MAGIC = "RKVQUAR1";
const HEAD = new RegExp(`^${MAGIC} ([0-9a-f]{8})\\n$`);
/** A longer one is cut. */
const DESCRIPTION_CHARACTERS_MAX = 4096;
/** Above every file that is written: a character takes at most three bytes. */
const FILE_BYTES_MAX = 16 * 1024;

/** Makes it durable that this member can't be trusted any more. */
export function writeQuarantine(disk: Disk, directory: string, evidence: QuarantineEvidence): Promise<void> {
  return replaceSmallFile(disk, directory, { name: QUARANTINE_NAME, tempName: QUARANTINE_TEMP_NAME, bytes: encodeQuarantine(evidence) });
}

export interface FoundQuarantine {
  readonly evidence: QuarantineEvidence;
  /** Why the file does not tell it; null for a sound one. */
  readonly problem: string | null;
}

/**
 * Why this member was quarantined; null if it never was, and only if there certainly is no file. A file that can't be read says
 * enough: a member that may have lost what it acknowledged takes no part.
 */
export async function readQuarantine(disk: Disk, directory: string): Promise<QuarantineEvidence | null> {
  return (await findQuarantine(disk, directory))?.evidence ?? null;
}

/** As `readQuarantine`, and tells whether the file is sound. */
export async function findQuarantine(disk: Disk, directory: string): Promise<FoundQuarantine | null> {
  const path = `${directory}/${QUARANTINE_NAME}`;
  try {
    const evidence = decodeQuarantine(await readSmallFile(disk, path, FILE_BYTES_MAX));
    return evidence === null ? unexplained(path, "it is damaged") : { evidence, problem: null };
  } catch (reason) {
    if (!(reason instanceof DiskError)) throw reason;
    return reason.code === "not-found" ? null : unexplained(path, reason.message);
  }
}

/** A line with the checksum, then a line that a person can read (docs/log-format.md). */
export function encodeQuarantine(evidence: QuarantineEvidence): Uint8Array {
  const body = new TextEncoder().encode(`${sentenceOf(evidence)}\n`);
  const head = new TextEncoder().encode(`${MAGIC} ${crc32c(body).toString(16).padStart(8, "0")}\n`);
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

function sentenceOf(evidence: QuarantineEvidence): string {
  switch (evidence.kind) {
    case "commit_beyond_log":
      return `commit_beyond_log commit ${evidence.commit} lastIndex ${evidence.lastIndex} from ${evidence.from}`;
    case "conflicts_with_committed":
      return `conflicts_with_committed index ${evidence.index} term ${evidence.term} from ${evidence.from}`;
    case "storage":
      return `storage ${evidence.description.slice(0, DESCRIPTION_CHARACTERS_MAX)}`;
    default:
      return evidence satisfies never;
  }
}

/** Null if not every byte is as it was written, or a later version wrote it. */
export function decodeQuarantine(bytes: Uint8Array): QuarantineEvidence | null {
  const headEnd = bytes.indexOf("\n".charCodeAt(0)) + 1;
  const [, crc] = HEAD.exec(new TextDecoder().decode(bytes.subarray(0, headEnd))) ?? [];
  const body = bytes.subarray(headEnd);
  if (crc === undefined || Number.parseInt(crc, 16) !== crc32c(body)) return null;
  return evidenceIn(new TextDecoder().decode(body));
}

function evidenceIn(sentence: string): QuarantineEvidence | null {
  const [, description] = /^storage (.*)\n$/s.exec(sentence) ?? [];
  if (description !== undefined) return { kind: "storage", description };
  const beyond = numbersIn(sentence, /^commit_beyond_log commit (\d+) lastIndex (\d+) from (\d+)\n$/);
  if (beyond !== null) return { kind: "commit_beyond_log", commit: beyond[0], lastIndex: beyond[1], from: beyond[2] };
  const conflict = numbersIn(sentence, /^conflicts_with_committed index (\d+) term (\d+) from (\d+)\n$/);
  return conflict === null ? null : { kind: "conflicts_with_committed", index: conflict[0], term: conflict[1], from: conflict[2] };
}

/** What the three groups of `pattern` hold; null if it does not match, or they are no numbers that a writer has. */
function numbersIn(sentence: string, pattern: RegExp): readonly [number, number, number] | null {
  const [first, second, third] = pattern.exec(sentence)?.slice(1).map(Number).filter(Number.isSafeInteger) ?? [];
  return first === undefined || second === undefined || third === undefined ? null : [first, second, third];
}

function unexplained(path: string, problem: string): FoundQuarantine {
  const description = `${path} says that this member was quarantined, but not why: ${problem}`;
  return { evidence: { kind: "storage", description }, problem };
}
