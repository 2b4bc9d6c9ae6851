import type { PeerMessage } from "@raftkv/raft-core";

/** Messages of one lane keep their order among themselves (see PeerTransport). */
export type MessageLane = "urgent" | "bulk";

/** The more urgent one first. */
export const messageLanes: readonly MessageLane[] = ["urgent", "bulk"];

/**
 * Urgent is what is small and what somebody waits for: elections, commits, reads, and the proof that a leader lives.
 *
 * An acknowledgement of appends is urgent too. A commit waits for it, and a follower that forwards many proposals would else hold up
 * the commits of everybody. There are no more of them than the leader lets appends be under way, so they don't crowd out a heartbeat.
 * They overtake only forwarded proposals, which have no place in any order yet.
 *
 * Appends stay together even if they are empty: one that overtook another would be refused for the gap before it.
 */
const lanes: Readonly<Record<PeerMessage["type"], MessageLane>> = {
  requestPreVote: "urgent",
  requestPreVoteResponse: "urgent",
  requestVote: "urgent",
  requestVoteResponse: "urgent",
  appendEntries: "bulk",
  appendEntriesResponse: "urgent",
  heartbeat: "urgent",
  heartbeatResponse: "urgent",
  installSnapshot: "bulk",
  timeoutNow: "urgent",
  transferLeadership: "urgent",
  forwardPropose: "bulk",
  readIndexRequest: "urgent",
  readIndexResponse: "urgent",
};

/** Which lane carries a message, and in which order a turn takes what has come. A receiver takes any message from either lane. */
export function laneOf(message: PeerMessage): MessageLane {
  return lanes[message.type];
}
