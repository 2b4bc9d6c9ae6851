import { clientMethodKinds } from "@raftkv/api";
import type { Member } from "../member.ts";
import type { MemberFigures, MethodFigures } from "./member-figures.ts";
import { StoreActivity } from "./store-activity.ts";

/** What HTTP/1.1 adds to the figures. */
export type HttpFigures = Pick<MemberFigures, "health" | "checks" | "httpConnections">;

const methodTypes = {
  unary: "unary",
  server_streaming: "server_stream",
  client_streaming: "client_stream",
  bidi_streaming: "bidi_stream",
} as const;

/** Puts together what a member knows of itself. */
export class FigureSource {
  private readonly member: Member;
  private readonly http: HttpFigures;
  private readonly activity: StoreActivity;
  private readonly kinds = clientMethodKinds();

  /** Counts what is applied from now on. */
  constructor(member: Member, http: HttpFigures) {
    this.member = member;
    this.http = http;
    const { state } = member.context;
    this.activity = new StoreActivity(state.store);
    state.observe(this.activity);
  }

  read(): MemberFigures {
    const { context, peers, leases, upkeep, clientCounters, clientVersions, watches } = this.member;
    const { node, state, memberId, quota, counts } = context;
    const { revision, compactRevision, keyCount, reservedBytes, usedBytes, reclaimedVersions } = state.store;
    return {
      memberId,
      node: node.metrics(),
      store: {
        revision,
        compactRevision,
        keyCount,
        reservedBytes,
        usedBytes,
        quotaBytes: quota.limitBytes,
      },
      activity: this.activity,
      reclaim: { versions: reclaimedVersions, sliceMs: upkeep.reclaimer.sliceMs, totalMs: upkeep.reclaimer.totalMs },
      leases: leases.counts,
      services: counts,
      slowCommands: state.slowCommands,
      isRestoring: state.isRestoring,
      lateHeartbeats: peers.lateHeartbeats,
      clientVersions: clientVersions.counts,
      alarms: state.alarms.all,
      methods: this.methods(),
      watches: watches.hub,
      peers: peers.figures,
      connections: clientCounters.connectionsOpen,
      limits: clientCounters.limits,
      ...this.http,
    };
  }

  private methods(): readonly MethodFigures[] {
    return Array.from(this.member.clientCalls.dispatcher.counters(), ([path, counters]) => {
      const [, service = "", method = ""] = path.split("/");
      const seconds = this.member.handlingTimes?.of(path) ?? null;
      // What is not in our own files is server reflection.
      return { service, method, type: methodTypes[this.kinds.get(path) ?? "bidi_streaming"], counters, seconds };
    });
  }
}
