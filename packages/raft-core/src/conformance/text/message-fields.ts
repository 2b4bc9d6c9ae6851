import { assertNever } from "../../assert.ts";
import type { ForwardPropose, PeerMessage } from "../../messages.ts";
import type { LogEntry, LogIndex, NodeId, SnapshotMeta, Term } from "../../types.ts";
import { type AnyMessage, APPEND_THREAD, APPLY_THREAD, type StorageAppend, type StorageAppendResponse } from "../local-messages.ts";

/** A member, or one of the storage threads of a member. */
export type MessageEnd = NodeId | typeof APPEND_THREAD | typeof APPLY_THREAD;

/** A message as the reference has it: one record of many fields for all types, most of them unused. */
export interface MessageFields {
  readonly from: MessageEnd;
  readonly to: MessageEnd;
  readonly type: string;
  readonly term: Term;
  readonly logTerm: Term;
  readonly index: LogIndex;
  readonly isRejected: boolean;
  readonly hint: LogIndex;
  readonly commit: LogIndex;
  readonly vote: NodeId;
  readonly entries: readonly LogEntry[];
  readonly snapshot: SnapshotMeta | null;
}

/** What the reference calls the messages. */
export const messageNames: Readonly<Record<AnyMessage["type"], string>> = {
  requestPreVote: "MsgPreVote",
  requestPreVoteResponse: "MsgPreVoteResp",
  requestVote: "MsgVote",
  requestVoteResponse: "MsgVoteResp",
  appendEntries: "MsgApp",
  appendEntriesResponse: "MsgAppResp",
  heartbeat: "MsgHeartbeat",
  heartbeatResponse: "MsgHeartbeatResp",
  installSnapshot: "MsgSnap",
  timeoutNow: "MsgTimeoutNow",
  transferLeadership: "MsgTransferLeader",
  forwardPropose: "MsgProp",
  readIndexRequest: "MsgReadIndex",
  readIndexResponse: "MsgReadIndexResp",
  storageAppend: "MsgStorageAppend",
  storageAppendResponse: "MsgStorageAppendResp",
  storageApply: "MsgStorageApply",
  storageApplyResponse: "MsgStorageApplyResp",
};

const unused = {
  term: 0,
  logTerm: 0,
  index: 0,
  isRejected: false,
  hint: 0,
  commit: 0,
  vote: 0,
  entries: [],
  snapshot: null,
} as const;

/** Who the message is from. A request to hand over to somebody counts as this one's own. */
export function senderOf(message: AnyMessage): MessageEnd {
  switch (message.type) {
    case "storageAppendResponse":
      return APPEND_THREAD;
    case "storageApplyResponse":
      return APPLY_THREAD;
    case "transferLeadership":
      return message.target;
    default:
      return message.from;
  }
}

export function receiverOf(message: AnyMessage): MessageEnd {
  switch (message.type) {
    case "storageAppend":
      return APPEND_THREAD;
    case "storageApply":
      return APPLY_THREAD;
    default:
      return message.to;
  }
}

export function messageFields(message: AnyMessage): MessageFields {
  const head = { ...unused, from: senderOf(message), to: receiverOf(message), type: messageNames[message.type] };
  switch (message.type) {
    case "storageAppend":
      return { ...head, ...appendFields(message) };
    case "storageAppendResponse":
      return { ...head, ...acknowledgementFields(message) };
    case "storageApply":
    case "storageApplyResponse":
      return { ...head, entries: message.job.entries };
    default:
      return { ...head, ...peerFields(message) };
  }
}

function peerFields(message: PeerMessage): Partial<MessageFields> {
  switch (message.type) {
    case "requestPreVote":
    case "requestVote":
      return { term: message.term, logTerm: message.lastTerm, index: message.lastIndex };
    case "requestPreVoteResponse":
    case "requestVoteResponse":
      return { term: message.term, isRejected: !message.granted };
    case "appendEntries":
      return {
        term: message.term,
        logTerm: message.prevTerm,
        index: message.prevIndex,
        commit: message.commit,
        entries: message.entries,
      };
    case "appendEntriesResponse":
      return {
        term: message.term,
        logTerm: message.hintTerm,
        index: message.index,
        isRejected: message.rejected,
        hint: message.hintIndex,
      };
    case "heartbeat":
      return { term: message.term, commit: message.commit };
    case "installSnapshot":
      return { term: message.term, snapshot: message.snapshot };
    case "heartbeatResponse":
    case "timeoutNow":
    case "transferLeadership":
      return { term: message.term };
    case "forwardPropose":
      return { entries: proposedEntries(message) };
    case "readIndexRequest":
      return {};
    case "readIndexResponse":
      return { index: message.index };
    default:
      return assertNever(message);
  }
}

/** The hard state stands in the fields of term, vote and commit, and only if it is new. */
function appendFields({ job }: StorageAppend): Partial<MessageFields> {
  const { hardState, entries, snapshot } = job;
  return { ...hardState, entries, snapshot };
}

function acknowledgementFields({ acknowledges }: StorageAppendResponse): Partial<MessageFields> {
  const { term, lastIndex, lastTerm, snapshot } = acknowledges;
  return { term, logTerm: lastTerm, index: lastIndex, snapshot };
}

/** What is only proposed has no position yet. */
function proposedEntries({ kind, payloads }: ForwardPropose): readonly LogEntry[] {
  return payloads.map((data) => ({ index: 0, term: 0, kind, data }));
}
