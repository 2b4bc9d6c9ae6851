import type { EndpointStatus, KeyValue, ResponseHeader, TxnResponse, WatchEvent } from "@raftkv/client";
import { durationText } from "../duration.ts";
import type { Answer, EndpointHealth } from "./answer.ts";
import { quoted } from "./quoted.ts";

/** A line for each field, `"Name" : value`, for scripts without JSON. */
export function fieldsOf(answer: Answer): string {
  return linesOf(answer)
    .map((line) => `${line}\n`)
    .join("");
}

type FieldValue = string | number | bigint | boolean;

function field(name: string, value: FieldValue): string {
  return `"${name}" : ${value}`;
}

/** Each item ends with an empty line. */
function separated<Item>(items: readonly Item[], lines: (item: Item) => readonly string[]): readonly string[] {
  return items.flatMap((item) => [...lines(item), ""]);
}

function linesOf(answer: Answer): readonly string[] {
  switch (answer.kind) {
    case "put":
      return [...headerLines(answer.response.header), ...previousLines(answer.response.prevKv)];
    case "range": {
      const { header, kvs, more, count } = answer.response;
      return [...headerLines(header), ...kvs.flatMap((kv) => kvLines(kv)), field("More", more), field("Count", count)];
    }
    case "delete": {
      const { header, deleted, prevKvs } = answer.response;
      return [...headerLines(header), field("Deleted", deleted), ...prevKvs.flatMap(previousLines)];
    }
    case "txn":
      return txnLines(answer.response);
    case "watch": {
      const { header, events } = answer.response;
      return [...(header === null ? [] : headerLines(header)), ...events.flatMap(eventLines)];
    }
    case "member-list": {
      const members = separated(answer.response.members, ({ id, name, peerUrls, clientUrls, isLearner }) => [
        field("ID", id),
        field("Name", quoted(name)),
        ...peerUrls.map((url) => field("PeerURL", quoted(url))),
        ...clientUrls.map((url) => field("ClientURL", quoted(url))),
        field("IsLearner", isLearner),
      ]);
      return [...headerLines(answer.response.header), ...members];
    }
    case "alarms": {
      const alarms = separated(answer.response.alarms, ({ memberId, alarm }) => [field("MemberID", memberId), field("AlarmType", alarm)]);
      return [...headerLines(answer.response.header), ...alarms];
    }
    case "endpoint-status":
      return separated(answer.endpoints, ({ endpoint, value }) => [...statusLines(value), field("Endpoint", quoted(endpoint))]);
    case "endpoint-health":
      return separated(answer.endpoints, ({ endpoint, value }) => healthLines(endpoint, value));
    case "endpoint-hash":
      return separated(answer.endpoints, ({ endpoint, value: { header, hash } }) => [
        ...headerLines(header),
        field("Endpoint", quoted(endpoint)),
        field("Hash", hash),
      ]);
    case "snapshot-status": {
      const { hash, revision, totalKeys, totalBytes } = answer.status;
      return [field("Hash", hash), field("Revision", revision), field("Keys", totalKeys), field("Size", totalBytes)];
    }
    case "move-leader":
      throw new Error("Assertion failed: move-leader has no fields");
    default:
      return leaseLines(answer);
  }
}

function leaseLines(answer: Extract<Answer, { readonly kind: `lease-${string}` }>): readonly string[] {
  switch (answer.kind) {
    case "lease-grant":
    case "lease-keep-alive": {
      const { header, id, ttl } = answer.response;
      return [...headerLines(header), field("ID", id), field("TTL", ttl)];
    }
    case "lease-revoke":
      return headerLines(answer.header);
    case "lease-time-to-live": {
      const { header, id, ttl, grantedTtl, keys } = answer.response;
      const attached = keys.map((key) => field("Key", quoted(key)));
      return [...headerLines(header), field("ID", id), field("TTL", ttl), field("GrantedTTL", grantedTtl), ...attached];
    }
    case "lease-list":
      return [...headerLines(answer.response.header), ...answer.response.ids.map((id) => field("ID", id))];
    default:
      return assertNever(answer);
  }
}

function headerLines({ clusterId, memberId, revision, raftTerm }: ResponseHeader): readonly string[] {
  return [field("ClusterID", clusterId), field("MemberID", memberId), field("Revision", revision), field("RaftTerm", raftTerm)];
}

function kvLines({ key, createRevision, modRevision, version, value, lease }: KeyValue, prefix = ""): readonly string[] {
  return [
    field(`${prefix}Key`, quoted(key)),
    field(`${prefix}CreateRevision`, createRevision),
    field(`${prefix}ModRevision`, modRevision),
    field(`${prefix}Version`, version),
    field(`${prefix}Value`, quoted(value)),
    field(`${prefix}Lease`, lease),
  ];
}

function previousLines(kv: KeyValue | null): readonly string[] {
  return kv === null ? [] : kvLines(kv, "Prev");
}

function txnLines({ header, succeeded, responses }: TxnResponse): readonly string[] {
  const operations = responses.flatMap((response): readonly string[] => {
    switch (response.type) {
      case "range":
        return linesOf({ kind: "range", response: response.response });
      case "put":
        return linesOf({ kind: "put", response: response.response });
      case "deleteRange":
        return linesOf({ kind: "delete", response: response.response });
      case "txn":
        return txnLines(response.response);
      case "none":
        return [];
      default:
        return assertNever(response);
    }
  });
  return [...headerLines(header), field("Succeeded", succeeded), ...operations];
}

function eventLines({ type, kv, prevKv }: WatchEvent): readonly string[] {
  return [field("Type", type === "put" ? "PUT" : "DELETE"), ...previousLines(prevKv), ...kvLines(kv)];
}

function statusLines(status: EndpointStatus): readonly string[] {
  return [
    ...headerLines(status.header),
    field("Version", quoted(status.version)),
    field("DBSize", status.dbSizeBytes),
    field("Leader", status.leader),
    field("IsLearner", status.isLearner),
    field("RaftIndex", status.raftIndex),
    field("RaftTerm", status.raftTerm),
    field("RaftAppliedIndex", status.raftAppliedIndex),
    field("Errors", `[${status.errors.map((error) => quoted(error)).join(" ")}]`),
  ];
}

function healthLines(endpoint: string, { healthy, tookMs, error }: EndpointHealth): readonly string[] {
  return [field("Endpoint", quoted(endpoint)), field("Health", healthy), field("Took", durationText(tookMs)), field("Error", error)];
}

function assertNever(value: never): never {
  throw new Error(`Assertion failed: Unexpected answer ${String(value)}`);
}
