import type { Compare, RequestOp, TxnRequest } from "@raftkv/api";
import type { Answer, Answering, UnaryRequest } from "./answering-server.ts";
import { comparable } from "./comparable-answer.ts";

const paths: Readonly<Record<UnaryRequest["method"], string>> = {
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
  // etcd 3.4 has no such path: answers 404.
  hashKV: "maintenance/nothing",
  health: "maintenance/nothing",
  defragment: "maintenance/defragment",
  snapshot: "maintenance/nothing",
  moveLeader: "maintenance/transfer-leadership",
  lock: "lock/lock",
  unlock: "lock/unlock",
  campaign: "election/campaign",
  proclaim: "election/proclaim",
  leader: "election/leader",
  observe: "maintenance/nothing",
  resign: "election/resign",
};

const compareTargets = ["version", "create", "mod", "value", "lease"] as const;
const operandNames = ["version", "create_revision", "mod_revision", "value", "lease"] as const;

/** A server that is asked at random, etcd's or ours, over its JSON gateway. */
export class GatewayServer implements Answering {
  private readonly url: string;

  constructor(endpoint: string) {
    this.url = `http://${endpoint}/v3/`;
  }

  async ask(request: UnaryRequest): Promise<Answer> {
    const response = await fetch(this.url + paths[request.method], {
      method: "POST",
      body: JSON.stringify(encoded(bodyOf(request))),
      headers: { connection: "close" },
      signal: AbortSignal.timeout(10_000),
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
    default: {
      const { method, ...fields } = request;
      return texts(fields);
    }
  }
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

/** All texts of these requests are bytes of keys, names and values. */
function texts(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => {
      if (typeof value === "string") return [name, Buffer.from(value)];
      return [name, typeof value === "object" && value !== null ? texts(value) : value];
    }),
  );
}

/** Base64 for bytes, decimals for 64 bits. */
function encoded(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(encoded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, encoded(field)]));
}
