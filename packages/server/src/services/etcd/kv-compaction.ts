import { create, encodeRequestCommand, etcdserverpb, toBinary } from "@raftkv/api";
import type { ServiceImpl } from "@raftkv/raft-rpc";
import type { StoreReclaimer } from "../../compaction/store-reclaimer.ts";
import type { ServiceContext } from "../service-context.ts";
import { refusalError, rpcError, withEtcdErrors } from "./etcd-error.ts";
import { headerMessage } from "./header-message.ts";

type CompactHandler = NonNullable<ServiceImpl<typeof etcdserverpb.kvService>["compact"]>;

/** `KV.Compact`. A physical one is answered when this member has given the memory back, any other when it is recorded. */
export function compactHandler(context: ServiceContext, reclaimer: StoreReclaimer): CompactHandler {
  return async (request) => {
    const command = encodeRequestCommand("compaction", toBinary(etcdserverpb.CompactionRequestSchema, request));
    const result = await withEtcdErrors(context.node.propose(command));
    if (result.outcome === "refused") throw rpcError(refusalError(result.reason));
    if (request.physical) await new Promise<void>((resolve) => reclaimer.whenReclaimed(resolve));
    return create(etcdserverpb.CompactionResponseSchema, { header: headerMessage(context, context.state.store.revision) });
  };
}
