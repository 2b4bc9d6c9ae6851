import { create, etcdserverpb } from "@raftkv/api";
import type { ServiceImpl } from "@raftkv/raft-rpc";
import type { ServiceContext } from "../service-context.ts";
import { withEtcdErrors } from "./etcd-error.ts";
import { headerMessage } from "./header-message.ts";

/** `etcdserverpb.Cluster`: MemberList. The header carries no revision, as etcd's. */
export function clusterService(context: ServiceContext): ServiceImpl<typeof etcdserverpb.clusterService> {
  return {
    async memberList(request) {
      if (request.linearizable) await withEtcdErrors(context.node.readBarrier());
      return create(etcdserverpb.MemberListResponseSchema, {
        header: headerMessage(context, 0),
        members: context.state.directory.members.map((member) => ({
          ID: member.id,
          name: member.name,
          peerURLs: [...member.peerUrls],
          clientURLs: [...member.clientUrls],
          isLearner: false,
        })),
      });
    },
  };
}
