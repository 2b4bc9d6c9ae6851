import type { etcdserverpb, ResponseHeader } from "@raftkv/api";

/** A header as plain numbers; zeros if there is none, as from some answers of etcd. */
export function plainHeader(header: etcdserverpb.ResponseHeader | undefined): ResponseHeader {
  return {
    clusterId: header?.clusterId ?? 0n,
    memberId: header?.memberId ?? 0n,
    revision: Number(header?.revision ?? 0n),
    raftTerm: Number(header?.raftTerm ?? 0n),
  };
}
