import type { Compare, RequestOp, TxnRequest } from "@raftkv/api";
import type { Answer, Answering } from "./answering-server.ts";
import { comparable } from "./comparable-answer.ts";
import type { Seat } from "./random-other-requests.ts";
import type { UnaryRequest } from "./random-requests.ts";

const paths: Readonly<Partial<Record<UnaryRequest["method"], string>>> = {
  range: "kv/range",
  put: "kv/put",
  deleteRange: "kv/deleterange",
  txn: "kv/txn",
  compact: "kv/compaction",
  grant: "lease/grant",
  revoke: "lease/revoke",
  timeToLive: "lease/timetolive",
  leases: "lease/leases",
  keepAlive: "lease/keepalive",
  memberList: "cluster/member/list",
  alarm: "maintenance/alarm",
  status: "maintenance/status",
  hash: "maintenance/hash",
  defragment: "maintenance/defragment",
  moveLeader: "maintenance/transfer-leadership",
  lock: "lock/lock",
  unlock: "lock/unlock",
  campaign: "election/campaign",
  proclaim: "election/proclaim",
  leader: "election/leader",
  resign: "election/resign",
};

/** Whether etcd's gateway has a path for it that answers once. */
export function hasPath({ method }: UnaryRequest): boolean {
  return paths[method] !== undefined;
}

const compareTargets = ["version", "create", "mod", "value", "lease"] as const;
const operandNames = ["version", "create_revision", "mod_revision", "value", "lease"] as const;

/** A server that is asked at random, etcd's or ours, over its JSON gateway. */
export class GatewayServer implements Answering {
  private readonly url: string;

  constructor(endpoint: string) {
    this.url = `http://${endpoint}/v3/`;
  }

  async ask(request: UnaryRequest): Promise<Answer> {
    const response = await fetch(this.url + (paths[request.method] ?? ""), {
      method: "POST",
      body: JSON.stringify(encoded(bodyOf(request))),
      headers: { connection: "close" },
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    if (response.status !== 200) return { code: response.status, message: text };
    return { answer: comparable(JSON.parse(text) as object, request) };
  }
}

function bodyOf(request: UnaryRequest): object {
  switch (request.method) {
    case "range":
    case "put":
    case "deleteRange":
      return request.request;
    case "txn":
      return txnBody(request.request);
    case "compact":
      return { revision: request.revision, physical: request.physical };
    case "grant":
      return { ID: request.id, TTL: request.ttl };
    case "revoke":
    case "keepAlive":
      return { ID: request.id };
    case "timeToLive":
      return { ID: request.id, keys: true };
    case "alarm":
      return { action: request.action, memberID: request.memberId };
    case "moveLeader":
      return { targetID: request.target };
    default:
      return ownershipBody(request);
  }
}

/** Of locks and elections; empty for what has no fields. */
function ownershipBody(request: UnaryRequest): object {
  switch (request.method) {
    case "lock":
      return { name: Buffer.from(request.name), lease: request.lease };
    case "unlock":
      return { key: Buffer.from(request.key) };
    case "campaign":
      return { name: Buffer.from(request.name), lease: request.lease, value: Buffer.from(request.value) };
    case "leader":
      return { name: Buffer.from(request.name) };
    case "proclaim":
      return { leader: seatBody(request.leader), value: Buffer.from(request.value) };
    case "resign":
      return { leader: seatBody(request.leader) };
    default:
      return {};
  }
}

function seatBody({ name, key, rev, lease }: Seat): object {
  return { name: Buffer.from(name), key: Buffer.from(key), rev, lease };
}

function txnBody({ compare, success, failure }: TxnRequest): object {
  return { compare: compare.map(compareBody), success: success.map(operationBody), failure: failure.map(operationBody) };
}

function compareBody(compare: Compare): object {
  const { key, rangeEnd, result, target } = compare;
  if (target === "unknown") return { key, rangeEnd, result };
  const number = compareTargets.indexOf(target);
  return { key, rangeEnd, result, target: number, [operandNames[number] ?? ""]: compare.operand };
}

function operationBody(operation: RequestOp): object {
  switch (operation.type) {
    case "put":
      return { request_put: operation.request };
    case "range":
      return { request_range: operation.request };
    case "deleteRange":
      return { request_delete_range: operation.request };
    case "txn":
      return { request_txn: txnBody(operation.request) };
    case "none":
      return {};
    default:
      return operation satisfies never;
  }
}

/** Base64 for bytes, decimals for 64 bits. */
function encoded(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(encoded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, encoded(field)]));
}
