import type { AnyRequest } from "./random-requests.ts";

/** Ids and terms are each server's own. `hash` is over each server's own encoding, `hashRevision` comes from newer servers. */
const own: ReadonlySet<string> = new Set(["clusterId", "memberId", "raftTerm", "hash", "hashRevision", "$typeName", "$unknown"]);

/** An answer without what has to differ between servers, and with lists in one order where the order is open. */
export function comparable(answer: object, request: AnyRequest): unknown {
  const plain = plainOf(answer) as Record<string, unknown>;
  switch (request.method) {
    // What is left of a lease has gone on between two questions, and etcd keeps its keys in a table without an order.
    case "timeToLive":
      return { ...plain, TTL: Number(plain["TTL"]) > 0, keys: sorted(plain["keys"]) };
    // By the time that is left, and all have about the same.
    case "leases":
      return { ...plain, leases: sorted(plain["leases"]) };
    // etcd keeps them in a table without an order.
    case "alarm":
      return { ...plain, alarms: sorted(plain["alarms"]) };
    case "range":
      return request.request.sortTarget === 0 ? plain : { ...plain, kvs: sorted(plain["kvs"]) };
    case "txn":
      return sortedWithin(plain);
    default:
      return plain;
  }
}

/** Text for bytes, so that a difference can be read. */
function plainOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, field]) => (own.has(name) ? [] : [[name, plainOf(field)]])));
}

/** Ranges in a transaction may be sorted by anything. */
function sortedWithin(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedWithin);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, name === "kvs" ? sorted(field) : sortedWithin(field)]));
}

function sorted(list: unknown): unknown {
  const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  return Array.isArray(list) ? [...(list as unknown[])].sort(byText) : list;
}
