import {
  CodecError,
  decodeLeaseKeepAliveAnswer,
  decodeLeaseTimeToLiveAnswer,
  encodeLeaseKeepAliveCall,
  encodeLeaseTimeToLiveCall,
  type Hello,
  LEASE_CALL_IDS_MAX,
} from "@raftkv/api";
import type { NodeId } from "@raftkv/raft-core";
import type { Clock } from "@raftkv/raft-node";
import type { Channel, UnaryDone } from "@raftkv/raft-rpc";
import type { Member, MemberDirectory } from "../cluster/member-directory.ts";
import type { LeaseAnswer, LeaseTime } from "../lease/lease-answer.ts";
import { helloTo, type PeerIdentity } from "./peer-identity.ts";

export interface LeaseForwarderOptions {
  readonly self: PeerIdentity;
  readonly directory: Pick<MemberDirectory, "byNodeId">;
  readonly clock: Clock;
  readonly openChannel: (member: Member) => Channel;
  /** One attempt; whoever asks may try again. */
  readonly timeoutMs: number;
}

/** The leader that is asked, on a connection of its own that lives as long as it leads. */
interface Leader {
  readonly nodeId: NodeId;
  readonly member: Member;
  readonly channel: Channel;
}

interface KeepAliveBatch {
  readonly leader: Leader;
  readonly ids: bigint[];
  readonly answers: LeaseAnswer<number>[];
}

/**
 * Asks the leader what only it can say about leases. Renewals that come in one turn share a call. Every failure, and what the leader can't say
 * yet, is answered as by a member that does not lead: a renewal may be repeated without harm.
 */
export class LeaseForwarder {
  private readonly options: LeaseForwarderOptions;
  private leader: Leader | null = null;
  /** Leaves at the end of this turn. */
  private batch: KeepAliveBatch | null = null;
  private isClosed = false;

  constructor(options: LeaseForwarderOptions) {
    this.options = options;
  }

  keepAlive(leaderId: NodeId, id: bigint, answer: LeaseAnswer<number>): void {
    const leader = this.reach(leaderId);
    if (leader === null) return answer.notPrimary();
    const batch = this.batch?.leader === leader ? this.batch : this.begin(leader);
    batch.ids.push(id);
    batch.answers.push(answer);
    if (batch.ids.length === LEASE_CALL_IDS_MAX) this.send(batch);
  }

  timeToLive(leaderId: NodeId, id: bigint, answer: LeaseAnswer<LeaseTime>): void {
    const leader = this.reach(leaderId);
    if (leader === null) return answer.notPrimary();
    const call = encodeLeaseTimeToLiveCall({ hello: this.hello(leader), id });
    this.request(leader, "LeaseTimeToLive", call, decodeLeaseTimeToLiveAnswer, (time) => {
      if (time === null) answer.notPrimary();
      else answer.succeed(time);
    });
  }

  /** What is on its way is answered as by a member that does not lead. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.leader?.channel.close();
  }

  private begin(leader: Leader): KeepAliveBatch {
    if (this.batch !== null) this.send(this.batch);
    const batch: KeepAliveBatch = { leader, ids: [], answers: [] };
    this.batch = batch;
    this.options.clock.atEndOfTurn(() => this.send(batch));
    return batch;
  }

  /** Once. */
  private send(batch: KeepAliveBatch): void {
    if (batch !== this.batch) return;
    this.batch = null;
    const { leader, ids, answers } = batch;
    const call = encodeLeaseKeepAliveCall({ hello: this.hello(leader), ids });
    this.request(leader, "LeaseKeepAlive", call, decodeLeaseKeepAliveAnswer, (result) => {
      const ttls = result?.ttls ?? [];
      for (const [at, answer] of answers.entries()) {
        const ttl = ttls[at] ?? -1;
        if (ttl < 0) answer.notPrimary();
        else answer.succeed(ttl);
      }
    });
  }

  /** `done` gets null if the leader could not answer. */
  private request<Answer>(
    { channel }: Leader,
    method: string,
    message: Uint8Array,
    decode: (bytes: Uint8Array) => Answer,
    done: (answer: Answer | null) => void,
  ): void {
    const settle: UnaryDone = (_error, response) => done(response === null ? null : decoded(response, decode));
    channel.request(`/raftkv.peer.v1.RaftPeer/${method}`, message, settle, { timeoutMs: this.options.timeoutMs, failFast: true });
  }

  private reach(nodeId: NodeId): Leader | null {
    if (this.leader?.nodeId === nodeId || this.isClosed) return this.isClosed ? null : this.leader;
    const { directory, openChannel } = this.options;
    const member = directory.byNodeId(nodeId);
    if (member === undefined) return null;
    void this.leader?.channel.close();
    this.leader = { nodeId, member, channel: openChannel(member) };
    return this.leader;
  }

  private hello({ member }: Leader): Hello {
    return helloTo(this.options.self, member.id, "leases");
  }
}

function decoded<Answer>(bytes: Uint8Array, decode: (bytes: Uint8Array) => Answer): Answer | null {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof CodecError) return null;
    throw error;
  }
}
