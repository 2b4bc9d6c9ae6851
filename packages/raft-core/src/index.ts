export type * from "./events.ts";
export { decodeChange, encodeChange } from "./membership/change-codec.ts";
export { applyChange, type ChangeResult } from "./membership/changer.ts";
export { isJoint, isLearner, isTracked, isVoter, trackedIds, votersOnly } from "./membership/configuration.ts";
export type * from "./messages.ts";
export type * from "./options.ts";
export { RaftCore } from "./raft-core.ts";
export type * from "./ready.ts";
export type * from "./types.ts";
