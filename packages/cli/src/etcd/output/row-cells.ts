import type { EndpointStatus, Member } from "@raftkv/client";
import { sizeText } from "../../status-table.ts";
import { durationText } from "../duration.ts";
import type { EndpointHealth, OfEndpoint } from "./answer.ts";

/** The columns of `member list`. */
export const memberHead = ["ID", "Status", "Name", "Peer Addrs", "Client Addrs", "Is Learner"] as const;

export function memberCells({ id, name, peerUrls, clientUrls, isLearner }: Member): readonly string[] {
  const state = name === "" ? "unstarted" : "started";
  return [id.toString(16), state, name, peerUrls.join(), clientUrls.join(), String(isLearner)];
}

/** The columns of `endpoint status`. */
export const statusHead = [
  "endpoint",
  "ID",
  "version",
  "db size",
  "is leader",
  "is learner",
  "raft term",
  "raft index",
  "raft applied index",
  "errors",
] as const;

export function statusCells({ endpoint, value }: OfEndpoint<EndpointStatus>): readonly string[] {
  return [
    endpoint,
    value.header.memberId.toString(16),
    value.version,
    sizeText(value.dbSizeBytes),
    String(value.leader === value.header.memberId),
    String(value.isLearner),
    String(value.raftTerm),
    String(value.raftIndex),
    String(value.raftAppliedIndex),
    value.errors.join(", "),
  ];
}

/** A sentence about one endpoint. */
export function healthLine({ endpoint, value }: OfEndpoint<EndpointHealth>): string {
  return value.healthy
    ? `${endpoint} is healthy: successfully committed proposal: took = ${durationText(value.tookMs)}`
    : `${endpoint} is unhealthy: failed to commit proposal: ${value.error}`;
}
