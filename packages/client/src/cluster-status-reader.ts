import { etcdserverpb } from "@raftkv/api";
import { methodPath, RpcError } from "@raftkv/raft-rpc";
import type { ClusterStatus, MemberStatus } from "./cluster-status.ts";
import type { Deadline } from "./deadline.ts";
import { type Endpoint, usableEndpoint } from "./endpoint.ts";
import type { MemberCall, MemberConnections } from "./member-connections.ts";

/** Most members of which the status is asked. */
const askedMax = 64;

const { clusterService, maintenanceService } = etcdserverpb;
const statusMethod = maintenanceService.methods.status;
const memberListMethod = clusterService.methods.memberList;
const statusPath = methodPath(maintenanceService, statusMethod);
const memberListPath = methodPath(clusterService, memberListMethod);
/** A message of which every field has its default: `StatusRequest`, and `MemberListRequest` that is not linearizable, so that it needs no quorum. */
const emptyMessage = new Uint8Array(0);

type Answer =
  | { readonly endpoint: Endpoint; readonly response: etcdserverpb.StatusResponse }
  | { readonly endpoint: Endpoint; readonly reason: string };

/**
 * Asks the configured endpoints and every further member that one of them lists, at the same time, each for half of the time.
 * Never rejects.
 */
export async function readClusterStatus(
  endpoints: readonly Endpoint[],
  connections: MemberConnections,
  deadline: Deadline,
): Promise<ClusterStatus> {
  const [configured, listed] = await Promise.all([askAll(endpoints, connections, deadline), listMembers(endpoints, connections, deadline)]);
  const asked = new Set(endpoints.map(({ address }) => address));
  const further = listed.flatMap((member) => {
    const endpoint = usableEndpoint(member.clientURLs);
    return endpoint === null || asked.has(endpoint.address) || isAnswered(configured, member.ID) ? [] : [endpoint];
  });
  const answers = [...configured, ...(await askAll(further.slice(0, askedMax), connections, deadline))];
  return { clusterId: clusterIdOf(answers), members: statusOf(answers, listed) };
}

async function askAll(endpoints: readonly Endpoint[], connections: MemberConnections, deadline: Deadline): Promise<readonly Answer[]> {
  return Promise.all(
    endpoints.map(async (endpoint): Promise<Answer> => {
      try {
        const bytes = await connections.unary(endpoint, emptyCall(statusPath, deadline));
        return { endpoint, response: statusMethod.response.decode(bytes) };
      } catch (reason) {
        return { endpoint, reason: RpcError.from(reason).message };
      }
    }),
  );
}

/** The list of the first endpoint that gives one. */
async function listMembers(
  endpoints: readonly Endpoint[],
  connections: MemberConnections,
  deadline: Deadline,
): Promise<readonly etcdserverpb.Member[]> {
  const lists = endpoints.map(async (endpoint) => {
    const bytes = await connections.unary(endpoint, emptyCall(memberListPath, deadline));
    return memberListMethod.response.decode(bytes).members;
  });
  try {
    return await Promise.any(lists);
  } catch {
    // Each reason stands in the answer to Status.
    return [];
  }
}

function emptyCall(path: string, deadline: Deadline): MemberCall {
  const timeoutMs = deadline.shareMs();
  return { path, message: emptyMessage, timeoutMs, connectMs: timeoutMs };
}

function isAnswered(answers: readonly Answer[], id: bigint): boolean {
  return answers.some((answer) => "response" in answer && answer.response.header?.memberId === id);
}

function clusterIdOf(answers: readonly Answer[]): bigint | null {
  for (const answer of answers) {
    if ("response" in answer && answer.response.header !== undefined) return answer.response.header.clusterId;
  }
  return null;
}

/** One row for each member that answered, then each listed one that did not, then each endpoint that belongs to none of them. */
function statusOf(answers: readonly Answer[], listed: readonly etcdserverpb.Member[]): readonly MemberStatus[] {
  const found = new Map<string, MemberStatus>();
  for (const answer of answers) {
    if (!("response" in answer)) continue;
    const status = reachable(answer.endpoint, answer.response, listed);
    // The same member may be known under two addresses.
    if (!found.has(String(status.id))) found.set(String(status.id), status);
  }
  const silent = answers.filter((answer) => "reason" in answer);
  const claimed = new Set<string>();
  for (const member of listed) {
    const addresses = member.clientURLs.map((url) => usableEndpoint([url])?.address ?? url);
    for (const address of addresses) claimed.add(address);
    if (found.has(String(member.ID))) continue;
    const answer = silent.find(({ endpoint }) => addresses.includes(endpoint.address));
    found.set(String(member.ID), {
      state: "down",
      endpoint: answer?.endpoint.address ?? addresses[0] ?? null,
      id: member.ID,
      name: member.name,
      reason: answer?.reason ?? "it has told the cluster no usable client address",
    });
  }
  for (const { endpoint, reason } of silent) {
    if (!claimed.has(endpoint.address)) {
      found.set(endpoint.address, { state: "down", endpoint: endpoint.address, id: null, name: "", reason });
    }
  }
  return [...found.values()].sort(
    (left, right) => compare(left.name || "~", right.name || "~") || compare(left.endpoint ?? "~", right.endpoint ?? "~"),
  );
}

function reachable(endpoint: Endpoint, response: etcdserverpb.StatusResponse, listed: readonly etcdserverpb.Member[]): MemberStatus {
  const id = response.header?.memberId ?? 0n;
  return {
    state: "up",
    endpoint: endpoint.address,
    id,
    name: listed.find((member) => member.ID === id)?.name ?? "",
    role: response.isLearner ? "learner" : response.leader === id && id !== 0n ? "leader" : "follower",
    leaderId: response.leader,
    term: Number(response.raftTerm),
    raftIndex: Number(response.raftIndex),
    appliedIndex: Number(response.raftAppliedIndex),
    dbSizeBytes: Number(response.dbSize),
    version: response.version,
    errors: response.errors,
  };
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
