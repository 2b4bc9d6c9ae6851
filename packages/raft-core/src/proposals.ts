import { assert } from "./assert.ts";
import type { CoreState } from "./core-state.ts";
import type { Leadership } from "./leadership.ts";
import { broadcastAppend } from "./replication.ts";
import type { ForwardPropose, LogEntry, ProposeOutcome } from "./types.ts";

/** Appends all of `payloads` or none. A follower passes them on; a candidate knows nobody to pass them to. */
export function propose(state: CoreState, payloads: readonly Uint8Array[]): ProposeOutcome {
  assert(payloads.length > 0, "A proposal has at least one payload");
  if (state.role.kind === "leader") return appendProposal(state, state.role, payloads);
  if (state.leader === 0) return { outcome: "dropped", reason: "no_leader" };
  state.outbox.send({ type: "forwardPropose", from: state.id, to: state.leader, payloads });
  return { outcome: "forwarded", to: state.leader };
}

/** Not passed on a second time: two members that each take the other for the leader would do so for ever. */
export function handleForwardPropose(state: CoreState, message: ForwardPropose): void {
  if (state.role.kind === "leader") appendProposal(state, state.role, message.payloads);
}

function appendProposal(state: CoreState, leadership: Leadership, payloads: readonly Uint8Array[]): ProposeOutcome {
  let bytes = 0;
  for (const payload of payloads) bytes += payload.length;
  // One proposal above the limit passes while nothing else waits, or it never could.
  const isOverQuota = leadership.uncommittedBytes > 0 && leadership.uncommittedBytes + bytes > state.options.uncommittedBytesMax;
  if (isOverQuota && bytes > 0) return { outcome: "dropped", reason: "quota" };
  leadership.uncommittedBytes += bytes;
  const firstIndex = state.log.lastIndex + 1;
  let lastIndex = firstIndex - 1;
  for (const data of payloads) state.log.append({ index: ++lastIndex, term: state.term, kind: "command", data });
  broadcastAppend(state);
  return { outcome: "accepted", term: state.term, firstIndex, lastIndex };
}

/** Applied entries of this leadership give their bytes back. */
export function releaseQuota(state: CoreState, leadership: Leadership, entries: readonly LogEntry[]): void {
  for (const entry of entries) if (entry.term === state.term) leadership.uncommittedBytes -= entry.data.length;
  assert(leadership.uncommittedBytes >= 0, "No more bytes are given back than were taken");
}
