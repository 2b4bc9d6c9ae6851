import { randomInt } from "node:crypto";
import { etcdserverpb, fromBinary } from "@raftkv/api";
import { Channel, connectTcp, SystemClock } from "@raftkv/raft-rpc";

const host = "127.0.0.1";
const connectTimeoutMs = 2000;
const statusPath = "/etcdserverpb.Maintenance/Status";
const emptyMessage = new Uint8Array(0);
const clock = new SystemClock();

/** A channel to a member on this machine. */
export function openChannel(port: number): Channel {
  return new Channel({
    authority: `${host}:${port}`,
    clock,
    random: { below: randomInt },
    connect: () => connectTcp({ host, port }, connectTimeoutMs),
  });
}

export interface MemberStatus {
  readonly isLeader: boolean;
  readonly term: bigint;
  /** Index of the last entry that it knows to be committed. */
  readonly committedIndex: bigint;
  /** Index of the last entry that is in its store. */
  readonly appliedIndex: bigint;
}

/** What a member thinks of itself, or null if it does not answer within `timeoutMs`. */
export async function readStatus(channel: Channel, timeoutMs: number): Promise<MemberStatus | null> {
  try {
    const bytes = await channel.unary(statusPath, emptyMessage, { timeoutMs });
    const status = fromBinary(etcdserverpb.StatusResponseSchema, bytes);
    return {
      isLeader: status.leader !== 0n && status.leader === status.header?.memberId,
      term: status.raftTerm,
      committedIndex: status.raftIndex,
      appliedIndex: status.raftAppliedIndex,
    };
  } catch {
    return null;
  }
}
