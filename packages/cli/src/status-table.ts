import type { ClusterStatus, MemberStatus } from "@raftkv/client";
import { plainTable } from "./plain-table.ts";

const head = ["endpoint", "name", "id", "role", "term", "raft index", "applied", "db size", "version"];
const numbers = ["term", "raft index", "applied", "db size"];

/** Below the table stands what members say is wrong with them. */
export function statusTable(status: ClusterStatus): string {
  return plainTable(head, status.members.map(statusRow), numbers) + status.members.flatMap(errorLines).join("");
}

function errorLines(member: MemberStatus): readonly string[] {
  if (member.state === "down") return [];
  return member.errors.map((error) => `${member.name || member.endpoint}: ${error}\n`);
}

function statusRow(member: MemberStatus): readonly string[] {
  if (member.state === "down")
    return [member.endpoint ?? "-", member.name || "-", idText(member.id), "unreachable", "-", "-", "-", "-", "-"];
  return [
    member.endpoint,
    member.name || "-",
    idText(member.id),
    member.role,
    String(member.term),
    String(member.raftIndex),
    String(member.appliedIndex),
    sizeText(member.dbSizeBytes),
    member.version,
  ];
}

/** Ids are hex strings, as etcdctl shows them: JSON numbers would lose digits. */
export function statusJson(status: ClusterStatus): string {
  const members = status.members.map((member) =>
    member.state === "down"
      ? { ...member, id: member.id === null ? null : idText(member.id) }
      : { ...member, id: idText(member.id), leaderId: member.leaderId === 0n ? null : idText(member.leaderId) },
  );
  return `${JSON.stringify({ clusterId: status.clusterId === null ? null : idText(status.clusterId), members })}\n`;
}

/** 16 hex digits, as etcdctl member list has them. */
export function idText(id: bigint | null): string {
  return id === null ? "-" : id.toString(16).padStart(16, "0");
}

/** `20 kB`, `1.5 MB`: decimal units, rounded as etcdctl does. */
export function sizeText(sizeBytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const tenths = Math.round(value * 10) / 10;
  return `${unit === 0 || tenths >= 10 ? halfToEven(tenths) : tenths.toFixed(1)} ${units[unit]}`;
}

function halfToEven(value: number): number {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}
