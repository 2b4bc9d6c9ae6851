import type { KeyValue, TxnResponse, WatchEvent } from "@raftkv/client";
import { sizeText } from "../../status-table.ts";
import type { Answer } from "./answer.ts";
import { hexEscaped } from "./quoted.ts";
import { healthLine, memberCells, statusCells } from "./row-cells.ts";

type Part = string | Uint8Array;
type Show = (bytes: Uint8Array) => Part;

/** For people: as few words as possible, keys and values byte for byte. */
export function simpleOf(answer: Answer, hex: boolean): Uint8Array {
  const show: Show = hex ? hexEscaped : (bytes) => bytes;
  return Buffer.concat(linesOf(answer, show).flatMap((line) => [typeof line === "string" ? Buffer.from(line) : line, newline]));
}

const newline = Buffer.from("\n");

function linesOf(answer: Answer, show: Show): readonly Part[] {
  switch (answer.kind) {
    case "put":
      return ["OK", ...pairs(answer.response.prevKv === null ? [] : [answer.response.prevKv], show)];
    case "range":
      return answer.valuesOnly === true ? answer.response.kvs.map(({ value }) => show(value)) : pairs(answer.response.kvs, show);
    case "delete":
      return [String(answer.response.deleted), ...pairs(answer.response.prevKvs, show)];
    case "txn":
      return txnLines(answer.response, show);
    case "watch":
      return answer.response.events.flatMap((event) => eventLines(event, show));
    case "member-list":
      return answer.response.members.map((member) => memberCells(member).join(", "));
    case "alarms":
      return answer.response.alarms.map(({ memberId, alarm }) => `memberID:${memberId} alarm:${alarm} `);
    case "move-leader":
      return [`Leadership transferred from ${answer.from.toString(16)} to ${answer.to.toString(16)}`];
    case "endpoint-status":
      return answer.endpoints.map((status) => statusCells(status).join(", "));
    case "endpoint-health":
      return answer.endpoints.map(healthLine);
    case "endpoint-hash":
      return answer.endpoints.map(({ endpoint, value }) => `${endpoint}, ${value.hash}`);
    case "snapshot-status": {
      const { hash, revision, totalKeys, totalBytes } = answer.status;
      return [`${hash.toString(16)}, ${revision}, ${totalKeys}, ${sizeText(totalBytes)}`];
    }
    default:
      return leaseLines(answer);
  }
}

type LeaseAnswer = Extract<Answer, { readonly kind: `lease-${string}` }>;

function leaseLines(answer: LeaseAnswer): readonly string[] {
  switch (answer.kind) {
    case "lease-grant":
      return [`lease ${leaseText(answer.response.id)} granted with TTL(${answer.response.ttl}s)`];
    case "lease-revoke":
      return [`lease ${leaseText(answer.id)} revoked`];
    case "lease-list":
      return [`found ${answer.response.ids.length} leases`, ...answer.response.ids.map(leaseText)];
    case "lease-keep-alive":
      return [`lease ${leaseText(answer.response.id)} keepalived with TTL(${answer.response.ttl})`];
    case "lease-time-to-live": {
      const { id, ttl, grantedTtl, keys } = answer.response;
      if (grantedTtl === 0 && ttl === -1) return [`lease ${leaseText(id)} already expired`];
      const names = keys.map((key) => Buffer.from(key).toString()).join(" ");
      const attached = answer.keysAsked ? `, attached keys([${names}])` : "";
      return [`lease ${leaseText(id)} granted with TTL(${grantedTtl}s), remaining(${ttl}s)${attached}`];
    }
    default:
      return assertNever(answer);
  }
}

function pairs(kvs: readonly KeyValue[], show: Show): readonly Part[] {
  return kvs.flatMap(({ key, value }) => [show(key), show(value)]);
}

/** An empty line stands before the answer to each operation. */
function txnLines({ succeeded, responses }: TxnResponse, show: Show): readonly Part[] {
  const answers = responses.flatMap((response): readonly Part[] => {
    switch (response.type) {
      case "range":
        return ["", ...pairs(response.response.kvs, show)];
      case "put":
        return ["", ...linesOf({ kind: "put", response: response.response }, show)];
      case "deleteRange":
        return ["", ...linesOf({ kind: "delete", response: response.response }, show)];
      case "txn":
      case "none":
        return [""];
      default:
        return assertNever(response);
    }
  });
  return [succeeded ? "SUCCESS" : "FAILURE", ...answers];
}

function eventLines({ type, kv, prevKv }: WatchEvent, show: Show): readonly Part[] {
  return [type === "put" ? "PUT" : "DELETE", ...pairs(prevKv === null ? [] : [prevKv], show), ...pairs([kv], show)];
}

/** Lease ids are hexadecimal everywhere. */
export function leaseText(id: bigint): string {
  return id.toString(16).padStart(16, "0");
}

function assertNever(value: never): never {
  throw new Error(`Assertion failed: Unexpected answer ${String(value)}`);
}
