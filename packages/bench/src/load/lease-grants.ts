import { create, etcdserverpb, toBinary } from "@raftkv/api";
import type { Channel } from "@raftkv/raft-rpc";
import { leaseCount } from "./workload.ts";

const grantPath = "/etcdserverpb.Lease/LeaseGrant";
const grantTimeoutMs = 10_000;
/** None ends before the benchmark does. */
const leaseSeconds = 86_400n;

/** Grants the leases that are kept alive later. Rejects if one is refused. */
export async function grantLeases(channel: Pick<Channel, "unary">): Promise<void> {
  const grants = Array.from({ length: leaseCount }, (_, place) => {
    const request = create(etcdserverpb.LeaseGrantRequestSchema, { ID: BigInt(place + 1), TTL: leaseSeconds });
    return channel.unary(grantPath, toBinary(etcdserverpb.LeaseGrantRequestSchema, request), { timeoutMs: grantTimeoutMs });
  });
  await Promise.all(grants);
}
