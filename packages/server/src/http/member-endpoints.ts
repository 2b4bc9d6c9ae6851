import type { Server } from "node:http";
import type { Member } from "../member.ts";
import { MemberMetrics } from "../metrics/member-metrics.ts";
import { memberTrouble } from "../services/member-trouble.ts";
import { createHttpEndpoints } from "./http-endpoints.ts";

/** The plain HTTP endpoints of a member; `current` gives null until it runs, which is before anybody can reach them. */
export function createMemberEndpoints(current: () => Member | null): Server {
  const nodeNow = (): Member["context"]["node"] | null => current()?.context.node ?? null;
  const health = {
    get trouble() {
      const node = nodeNow();
      return node === null ? null : (memberTrouble(node)?.reason ?? null);
    },
    get hasLeader() {
      return (nodeNow()?.leader ?? 0) !== 0;
    },
    confirmRead: () => nodeNow()?.readBarrier() ?? Promise.reject(new Error("The member has not started")),
  };
  const metrics = new MemberMetrics(() => {
    const context = current()?.context;
    return context === undefined ? null : { node: context.node.metrics(), stateBytes: context.state.store.bytesUsed };
  });
  return createHttpEndpoints({ health, metrics });
}
