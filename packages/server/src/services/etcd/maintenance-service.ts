import { create, etcdserverpb } from "@raftkv/api";
import type { ServiceImpl } from "@raftkv/raft-rpc";
import { etcdVersion } from "../../version.ts";
import { memberTrouble } from "../member-trouble.ts";
import type { ServiceContext } from "../service-context.ts";
import { headerMessage } from "./header-message.ts";

/** `etcdserverpb.Maintenance`: Status, of the member that is asked. */
export function maintenanceService(context: ServiceContext): ServiceImpl<typeof etcdserverpb.maintenanceService> {
  return {
    status() {
      const { node, state } = context;
      const core = node.status();
      const { reserved, used } = state.store.bytesUsed;
      return create(etcdserverpb.StatusResponseSchema, {
        header: headerMessage(context, state.store.revision),
        version: etcdVersion,
        dbSize: BigInt(reserved),
        dbSizeInUse: BigInt(used),
        leader: state.directory.byNodeId(core.leader)?.id ?? 0n,
        raftIndex: BigInt(core.commit),
        raftTerm: BigInt(core.term),
        raftAppliedIndex: BigInt(core.applied),
        errors: errorsOf(context),
      });
    },
  };
}

function errorsOf({ node }: ServiceContext): string[] {
  const findings = [memberTrouble(node)?.sentence ?? null, node.leaderlessFinding].filter((finding) => finding !== null);
  return [...(node.leader === 0 ? ["etcdserver: no leader"] : []), ...findings.map((finding) => `raftkv: ${finding}`)];
}
