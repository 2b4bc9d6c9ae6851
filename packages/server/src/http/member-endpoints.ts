import { NodeError } from "@raftkv/raft-node";
import type { ClientPortConfig } from "../config/client-port.ts";
import type { Member, OtherProtocol } from "../member.ts";
import { FigureSource } from "../metrics/figure-source.ts";
import { MemberMetrics } from "../metrics/member-metrics.ts";
import { NodeClock, socketOf } from "../ports/index.ts";
import { etcdErrorOf } from "../services/etcd/etcd-error.ts";
import { memberTrouble } from "../services/member-trouble.ts";
import type { ServiceContext } from "../services/service-context.ts";
import { alarmName } from "../state/alarm-name.ts";
import { AccessControl } from "./access-control.ts";
import { CheckPages } from "./check-pages.ts";
import { Gateway } from "./gateway/gateway.ts";
import { HealthCounts, healthPage } from "./health-page.ts";
import { HttpEndpoints, type Page } from "./http-endpoints.ts";
import type { MemberHealth } from "./member-health.ts";
import { metricsPage } from "./metrics-page.ts";
import { versionPage } from "./version-page.ts";

/** HTTP/1.1 on the client port of a member. */
export function createMemberEndpoints(member: Member, config: ClientPortConfig): OtherProtocol {
  const { context, clientCalls } = member;
  const clock = new NodeClock();
  const health = healthOf(context);
  const checks = new CheckPages(health);
  const counts = new HealthCounts();
  const figures = new FigureSource(member, {
    health: counts,
    checks: checks.counts,
    get httpConnections() {
      return endpoints.connectionCount + endpointsForMetrics.connectionCount;
    },
  });
  const metrics = new MemberMetrics(() => figures.read());
  const pagesForMetrics: readonly (readonly [string, Page])[] = [
    ["/health", healthPage(health, counts)],
    ["/livez", checks.page("livez")],
    ["/livez/", checks.page("livez")],
    ["/readyz", checks.page("readyz")],
    ["/readyz/", checks.page("readyz")],
    ["/metrics", metricsPage(metrics)],
  ];
  const shared = { access: new AccessControl(config.http), clock, connections: config.connections };
  const endpoints = new HttpEndpoints({
    ...shared,
    pages: new Map([...pagesForMetrics, ["/version", versionPage]]),
    gateway: config.http.gateway ? new Gateway(clientCalls, clock) : null,
  });
  const endpointsForMetrics = new HttpEndpoints({ ...shared, pages: new Map(pagesForMetrics), gateway: null });
  return {
    accept: (connection, firstBytes) => endpoints.accept(socketOf(connection, firstBytes)),
    acceptForMetrics: (connection) => endpointsForMetrics.accept(socketOf(connection, new Uint8Array())),
    async close(graceMs) {
      await Promise.all([endpoints.close(graceMs), endpointsForMetrics.close(graceMs)]);
    },
  };
}

function healthOf({ node, state }: ServiceContext): MemberHealth {
  return {
    get trouble() {
      return memberTrouble(node)?.reason ?? null;
    },
    get alarms() {
      return state.alarms.all.map(({ kind }) => alarmName(kind) ?? "UNKNOWN");
    },
    get hasLeader() {
      return node.leader !== 0;
    },
    get isLearner() {
      return node.metrics().isLearner;
    },
    confirmRead: () => node.readBarrier().catch(rethrowAsEtcd),
    readLocally: () => new Promise((resolve, reject) => node.readLocally({ succeed: resolve, fail: reject })).catch(rethrowAsEtcd),
  };
}

/** Health pages give errors in etcd's words. */
function rethrowAsEtcd(error: unknown): never {
  if (!(error instanceof NodeError)) throw error;
  throw new Error(etcdErrorOf(error).message, { cause: error });
}
