import { encodeWatchEvent } from "@raftkv/api";
import { WatchHub } from "@raftkv/kvstore";
import type { Clock, RaftNode, Random } from "@raftkv/raft-node";
import type { Dispatcher } from "@raftkv/raft-rpc";
import type { WatchConfig } from "../config/watch-config.ts";
import { WatchService } from "../services/etcd/watch-service.ts";
import type { ServiceContext } from "../services/service-context.ts";
import type { ApplyResult } from "../state/apply-result.ts";
import { LeaderLoss } from "./leader-loss.ts";
import { WatchPump } from "./watch-pump.ts";
import { WatchResponseEncoder } from "./watch-response-encoder.ts";

/** As etcd: a response is sent in parts from the size on that a message to the server may have. */
const messageOverheadBytes = 512 * 1024;

export interface MemberWatchesOptions {
  readonly context: Pick<ServiceContext, "state" | "maxRequestBytes" | "header"> & {
    readonly node: Pick<RaftNode<ApplyResult>, "leader" | "memberState" | "term">;
  };
  readonly config: WatchConfig;
  readonly electionMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * All about watching at one member.
 *
 *     ReplicatedState ── written, restored ──► WatchHub ──► WatchCall, one per stream ──► client
 *                                              ▲     └────► locks and elections that wait
 *                                     WatchPump, at the end of turns
 */
export class MemberWatches {
  readonly hub: WatchHub;
  readonly service: WatchService;
  readonly leaderLoss: LeaderLoss;
  private readonly pump: WatchPump;

  constructor({ context, config, electionMs, clock, random }: MemberWatchesOptions) {
    const { state, node } = context;
    const hub = new WatchHub({ store: state.store, encodeEvent: encodeWatchEvent, seed: random.below(2 ** 32) });
    state.observe({ written: () => hub.publish(), restored: () => hub.restored() });
    this.hub = hub;
    this.pump = new WatchPump(hub, clock);
    this.leaderLoss = new LeaderLoss({ node, clock, electionMs });
    this.service = new WatchService({
      node,
      hub,
      encoder: new WatchResponseEncoder({ header: (revision) => context.header(revision), node }),
      limits: { streamWatchersMax: config.streamWatchersMax, watchersMax: config.watchersMax },
      fragmentBytes: context.maxRequestBytes + messageOverheadBytes,
      progressNotifyMs: config.progressNotifyMs,
      random,
      leaderLoss: this.leaderLoss,
      clock,
    });
  }

  register(dispatcher: Dispatcher): void {
    this.service.register(dispatcher);
  }

  /** Ends all watches. */
  close(): void {
    this.service.close();
    this.pump.stop();
  }
}
