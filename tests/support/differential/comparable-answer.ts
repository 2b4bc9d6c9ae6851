import type { UnaryRequest } from "./random-requests.ts";

/** What a rule makes of an answer before it is compared. */
type Rule = (answer: Fields, request: UnaryRequest) => unknown;
type Fields = Record<string, unknown>;

/** Ids and terms are each server's own. `hash` is over each server's own encoding, `hashRevision` comes from newer servers. */
const own: ReadonlySet<string> = new Set([
  ...["clusterId", "memberId", "raftTerm", "hash", "hashRevision", "$typeName", "$unknown"],
  ...["cluster_id", "member_id", "raft_term", "hash_revision"],
]);

/** Where answers may differ, and why. All else has to be equal. */
const rules: Readonly<Partial<Record<UnaryRequest["method"], Rule>>> = {
  // What is left of a lease has gone on between two questions, and etcd keeps its keys in a table without an order.
  timeToLive: (answer) => ({ ...answer, TTL: Number(answer["TTL"]) > 0, keys: sorted(answer["keys"]) }),
  // By the time that is left, and all have about the same.
  leases: (answer) => ({ ...answer, leases: sorted(answer["leases"]) }),
  // etcd keeps them in a table without an order.
  alarm: (answer) => ({ ...answer, alarms: sorted(answer["alarms"]) }),
  // Records that are equal in what they are sorted by come in any order.
  range: (answer, request) =>
    request.method !== "range" || request.request.sortTarget === 0 ? answer : { ...answer, kvs: sorted(answer["kvs"]) },
  txn: sortedWithin,
  // Sizes, indexes and ids are each server's own; what newer servers add is not in etcd 3.4; the errors are alarms, without an order.
  status: ({ header, version, isLearner, errors }) => ({ header, version, isLearner, errors: sorted(errors) }),
  // Ids and addresses are each server's own.
  memberList: ({ header, members }) => ({ header, members: (members as Fields[]).map(({ name, isLearner }) => ({ name, isLearner })) }),
};

/** An answer without what has to differ between servers, and with lists in one order where the order is open. */
export function comparable(answer: object, request: UnaryRequest): unknown {
  const plain = readable(answer) as Fields;
  return rules[request.method]?.(plain, request) ?? plain;
}

/** Text for bytes, so that a difference can be read. */
export function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, field]) => (own.has(name) ? [] : [[name, readable(field)]])));
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
