export { RaftCore } from "./raft-core.ts";
export type * from "./types.ts";
