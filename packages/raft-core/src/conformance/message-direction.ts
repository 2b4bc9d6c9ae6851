import type { OwnMessage, PeerMessage } from "../messages.ts";
import type { AnyMessage } from "./local-messages.ts";
import { receiverOf, senderOf } from "./text/message-fields.ts";

/** Whether it never leaves its member: to itself, or from or to its storage. */
export function isLocal(message: AnyMessage): boolean {
  const [from, to] = [senderOf(message), receiverOf(message)];
  return from === to || typeof from === "string" || typeof to === "string";
}

/** Whether a member tells itself that something of its own is durable. */
export function isToItself(message: PeerMessage): message is OwnMessage {
  if (message.from !== message.to) return false;
  return message.type === "requestPreVoteResponse" || message.type === "requestVoteResponse" || message.type === "appendEntriesResponse";
}

/** Answers are taken only from members that are known. */
export function isResponse(message: PeerMessage): boolean {
  switch (message.type) {
    case "requestPreVoteResponse":
    case "requestVoteResponse":
    case "appendEntriesResponse":
    case "heartbeatResponse":
    case "readIndexResponse":
      return true;
    default:
      return false;
  }
}
