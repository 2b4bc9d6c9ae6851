import { create, etcdserverpb } from "@raftkv/api";
import { RpcError, type ServiceImpl, StatusCode } from "@raftkv/raft-rpc";
import { nodeIdOf } from "../../cluster/identity.ts";
import type { ServiceContext } from "../service-context.ts";
import { withEtcdErrors } from "./etcd-error.ts";
import { headerMessage } from "./header-message.ts";

/** `etcdserverpb.Cluster`: MemberList. The header carries no revision, as etcd's. */
export function clusterService(context: ServiceContext): ServiceImpl<typeof etcdserverpb.clusterService> {
  return {
    async memberList(request) {
      if (request.linearizable) await withEtcdErrors(context.node.readBarrier());
      const { learners } = context.node.status().configuration;
      return create(etcdserverpb.MemberListResponseSchema, {
        header: headerMessage(context, 0),
        members: context.state.directory.members.map((member) => ({
          ID: member.id,
          name: member.name,
          peerURLs: [...member.peerUrls],
          clientURLs: [...member.clientUrls],
          isLearner: learners.includes(nodeIdOf(member.id)),
        })),
      });
    },
    memberAdd: () => refuse("added"),
    memberRemove: () => refuse("removed"),
    memberUpdate: () => refuse("changed"),
    memberPromote: () => refuse("promoted"),
  };
}

function refuse(what: string): never {
  throw new RpcError(StatusCode.UNIMPLEMENTED, `raftkv: members can't be ${what} through the API in this version`);
}
