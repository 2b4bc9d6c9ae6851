export { ClientError, type ClientErrorCode, clientErrorTable, type Retryable } from "./client-error.ts";
export type { ClientEvent, ClientOptions, ClientPorts, ClientSettings } from "./client-options.ts";
export { type ClusterStatus, leaderOf, type MemberStatus, type ReachableMember, type UnreachableMember } from "./cluster-status.ts";
export { type ClusterView, selectMember, type ViewMember } from "./cluster-view.ts";
export { type Endpoint, parseEndpoint } from "./endpoint.ts";
export { connectClient } from "./node-client.ts";
export { type Bytes, RaftKVClient } from "./raftkv-client.ts";
export type { GetResult, LeaderHint, PutResult, RedirectResult, RemoveResult, UpdateResult } from "./result.ts";
