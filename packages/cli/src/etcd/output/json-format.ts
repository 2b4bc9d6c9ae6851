import type { AlarmType, EndpointStatus, KeyValue, ResponseHeader, TxnResponse, WatchEvent } from "@raftkv/client";
import { durationText } from "../duration.ts";
import type { Answer, EndpointHealth, OfEndpoint, WatchAnswer } from "./answer.ts";
import type { JsonOutput } from "./json-text.ts";

type JsonObject = Readonly<Record<string, JsonOutput | undefined>>;

/** The response as etcdctl has it in JSON: the names of etcd's Go types, numbers as numbers, and most zeros left out. */
export function jsonOf(answer: Answer): JsonOutput {
  switch (answer.kind) {
    case "put":
      return putJson(answer.response);
    case "range":
      return rangeJson(answer.response);
    case "delete":
      return deleteJson(answer.response);
    case "txn":
      return txnJson(answer.response);
    case "watch":
      return watchJson(answer.response);
    case "member-list":
      return memberListJson(answer.response);
    case "alarms": {
      const alarms = answer.response.alarms.map(({ memberId, alarm }) => ({ memberID: orNothing(memberId), alarm: alarmNumber(alarm) }));
      return { header: headerJson(answer.response.header), alarms: listJson(alarms) };
    }
    case "move-leader":
      return {};
    case "endpoint-status":
      return answer.endpoints.map(({ endpoint, value }) => ({ Endpoint: endpoint, Status: statusJson(value) }));
    case "endpoint-health":
      return answer.endpoints.map(healthJson);
    case "endpoint-hash":
      return answer.endpoints.map(({ endpoint, value: { header, hash, compactRevision } }) => ({
        Endpoint: endpoint,
        HashKV: { header: headerJson(header), hash: orNothing(hash), compact_revision: orNothing(compactRevision) },
      }));
    case "snapshot-status": {
      const { hash, revision, totalKeys, totalBytes } = answer.status;
      return { hash, revision, totalKey: totalKeys, totalSize: totalBytes };
    }
    default:
      return leaseJson(answer);
  }
}

function leaseJson(answer: Extract<Answer, { readonly kind: `lease-${string}` }>): JsonOutput {
  switch (answer.kind) {
    case "lease-grant":
      return { ...headerFields(answer.response.header), ID: answer.response.id, TTL: answer.response.ttl, Error: "" };
    case "lease-revoke":
      return { header: headerJson(answer.header) };
    case "lease-time-to-live": {
      const { header, id, ttl, grantedTtl, keys } = answer.response;
      return { ...headerFields(header), id, ttl, "granted-ttl": grantedTtl, keys: keys.length === 0 ? null : keys };
    }
    case "lease-list":
      return { ...headerFields(answer.response.header), leases: answer.response.ids.map((id) => ({ id })) };
    case "lease-keep-alive":
      return { ...headerFields(answer.response.header), ID: answer.response.id, TTL: answer.response.ttl };
    default:
      return assertNever(answer);
  }
}

/** Undefined: leave it out, as Go does with what is empty. */
function orNothing<Value extends number | bigint | string | boolean>(value: Value): Value | undefined {
  return value === 0 || value === 0n || value === "" || value === false ? undefined : value;
}

function listJson(items: readonly JsonOutput[]): readonly JsonOutput[] | undefined {
  return items.length === 0 ? undefined : items;
}

function bytesJson(bytes: Uint8Array): Uint8Array | undefined {
  return bytes.length === 0 ? undefined : bytes;
}

function headerFields({ clusterId, memberId, revision, raftTerm }: ResponseHeader): JsonObject {
  return {
    cluster_id: orNothing(clusterId),
    member_id: orNothing(memberId),
    revision: orNothing(revision),
    raft_term: orNothing(raftTerm),
  };
}

/** Undefined: there was none. */
function headerJson(header: ResponseHeader): JsonObject | undefined {
  const fields = headerFields(header);
  return Object.values(fields).every((field) => field === undefined) ? undefined : fields;
}

function kvJson({ key, createRevision, modRevision, version, value, lease }: KeyValue): JsonObject {
  return {
    key: bytesJson(key),
    create_revision: orNothing(createRevision),
    mod_revision: orNothing(modRevision),
    version: orNothing(version),
    value: bytesJson(value),
    lease: orNothing(lease),
  };
}

function putJson({ header, prevKv }: Extract<Answer, { readonly kind: "put" }>["response"]): JsonObject {
  return { header: headerJson(header), prev_kv: prevKv === null ? undefined : kvJson(prevKv) };
}

function rangeJson({ header, kvs, more, count }: Extract<Answer, { readonly kind: "range" }>["response"]): JsonObject {
  return { header: headerJson(header), kvs: listJson(kvs.map(kvJson)), more: orNothing(more), count: orNothing(count) };
}

function deleteJson({ header, deleted, prevKvs }: Extract<Answer, { readonly kind: "delete" }>["response"]): JsonObject {
  return { header: headerJson(header), deleted: orNothing(deleted), prev_kvs: listJson(prevKvs.map(kvJson)) };
}

function txnJson({ header, succeeded, responses }: TxnResponse): JsonObject {
  const operations = responses.map((response): JsonOutput => {
    switch (response.type) {
      case "range":
        return { Response: { ResponseRange: rangeJson(response.response) } };
      case "put":
        return { Response: { ResponsePut: putJson(response.response) } };
      case "deleteRange":
        return { Response: { ResponseDeleteRange: deleteJson(response.response) } };
      case "txn":
        return { Response: { ResponseTxn: txnJson(response.response) } };
      case "none":
        return { Response: null };
      default:
        return assertNever(response);
    }
  });
  return { header: headerJson(header), succeeded: orNothing(succeeded), responses: listJson(operations) };
}

function watchJson({ header, events, compactRevision }: WatchAnswer): JsonObject {
  return {
    Header: header === null ? {} : headerFields(header),
    Events: events.map(eventJson),
    CompactRevision: compactRevision,
    Canceled: compactRevision > 0,
    Created: false,
  };
}

function eventJson({ type, kv, prevKv }: WatchEvent): JsonObject {
  return { type: type === "delete" ? 1 : undefined, kv: kvJson(kv), prev_kv: prevKv === null ? undefined : kvJson(prevKv) };
}

function memberListJson({ header, members }: Extract<Answer, { readonly kind: "member-list" }>["response"]): JsonObject {
  const list = members.map(({ id, name, peerUrls, clientUrls, isLearner }) => ({
    ID: orNothing(id),
    name: orNothing(name),
    peerURLs: listJson(peerUrls),
    clientURLs: listJson(clientUrls),
    isLearner: orNothing(isLearner),
  }));
  return { header: headerJson(header), members: listJson(list) };
}

function statusJson(status: EndpointStatus): JsonObject {
  return {
    header: headerJson(status.header),
    version: orNothing(status.version),
    dbSize: orNothing(status.dbSizeBytes),
    leader: orNothing(status.leader),
    raftIndex: orNothing(status.raftIndex),
    raftTerm: orNothing(status.raftTerm),
    raftAppliedIndex: orNothing(status.raftAppliedIndex),
    errors: listJson(status.errors),
    dbSizeInUse: orNothing(status.dbSizeInUseBytes),
    isLearner: orNothing(status.isLearner),
  };
}

function healthJson({ endpoint, value }: OfEndpoint<EndpointHealth>): JsonObject {
  return { endpoint, health: value.healthy, took: durationText(value.tookMs), error: orNothing(value.error) };
}

const alarmNumbers: Readonly<Record<AlarmType, number>> = { NOSPACE: 1, CORRUPT: 2 };

function alarmNumber(alarm: AlarmType | number): number {
  return typeof alarm === "number" ? alarm : alarmNumbers[alarm];
}

function assertNever(value: never): never {
  throw new Error(`Assertion failed: Unexpected answer ${String(value)}`);
}
