import { create, encodeRequestCommand, etcdserverpb, toBinary } from "@raftkv/api";
import type { Clock } from "@raftkv/raft-node";
import { RpcError, type ServiceImpl, StatusCode } from "@raftkv/raft-rpc";
import { nodeIdOf } from "../../cluster/identity.ts";
import type { Alarm } from "../../state/alarm-table.ts";
import { etcdVersion } from "../../version.ts";
import type { ServiceContext } from "../service-context.ts";
import { etcdErrors, rpcError, withEtcdErrors } from "./etcd-error.ts";
import { headerMessage } from "./header-message.ts";
import { StoreHasher } from "./maintenance-hash.ts";
import { SnapshotStreams } from "./maintenance-snapshot.ts";
import { statusErrors } from "./maintenance-status.ts";

const Action = etcdserverpb.AlarmRequest_AlarmAction;

/** `etcdserverpb.Maintenance`, of the member that is asked. */
export function maintenanceService(context: ServiceContext, clock: Clock): ServiceImpl<typeof etcdserverpb.maintenanceService> {
  const { node, state, counts } = context;
  const hasher = new StoreHasher(state.store, clock);
  const snapshots = new SnapshotStreams(context, clock);
  return {
    status() {
      const core = node.status();
      const { reservedBytes, usedBytes } = state.store;
      const { limitBytes } = context.quota;
      return create(etcdserverpb.StatusResponseSchema, {
        header: headerMessage(context, state.store.revision),
        version: etcdVersion,
        dbSize: BigInt(reservedBytes),
        dbSizeInUse: BigInt(usedBytes),
        dbSizeQuota: Number.isFinite(limitBytes) ? BigInt(limitBytes) : 0n,
        leader: state.directory.byNodeId(core.leader)?.id ?? 0n,
        raftIndex: BigInt(core.commit),
        raftTerm: BigInt(core.term),
        raftAppliedIndex: BigInt(core.applied),
        errors: statusErrors(context),
        isLearner: core.configuration.learners.includes(core.id),
      });
    },

    async alarm(request) {
      const alarms = request.action === Action.GET ? await currentAlarms(context, request.alarm) : await changeAlarm(context, request);
      return create(etcdserverpb.AlarmResponseSchema, {
        alarms: alarms.map(({ memberId, kind }) => ({ memberID: memberId, alarm: kind })),
      });
    },

    /** Memory goes back by itself: there is nothing to wait for. */
    defragment: () => create(etcdserverpb.DefragmentResponseSchema, {}),

    async hash() {
      const { hash } = await hasher.hash(0, counts.hashes);
      return create(etcdserverpb.HashResponseSchema, { header: headerMessage(context, state.store.revision), hash });
    },

    async hashKV(request) {
      const { hash, hashRevision, compactRevision } = await hasher.hash(Number(request.revision), counts.revisionHashes);
      return create(etcdserverpb.HashKVResponseSchema, {
        header: headerMessage(context, state.store.revision),
        hash,
        compactRevision: BigInt(compactRevision),
        hashRevision: BigInt(hashRevision),
      });
    },

    snapshot: (_request, call) => snapshots.stream(call),

    async moveLeader({ targetID }) {
      await moveLeader(context, targetID);
      return create(etcdserverpb.MoveLeaderResponseSchema, {});
    },

    downgrade() {
      throw new RpcError(StatusCode.UNIMPLEMENTED, "raftkv: a cluster can't be downgraded in this version");
    },
  };
}

async function currentAlarms({ node, state }: ServiceContext, kind: etcdserverpb.AlarmType): Promise<readonly Alarm[]> {
  await withEtcdErrors(node.readBarrier());
  return state.alarms.ofKind(kind);
}

async function changeAlarm({ node }: ServiceContext, request: etcdserverpb.AlarmRequest): Promise<readonly Alarm[]> {
  if (request.action !== Action.ACTIVATE && request.action !== Action.DEACTIVATE) return [];
  const command = encodeRequestCommand("alarm", toBinary(etcdserverpb.AlarmRequestSchema, request));
  const result = await withEtcdErrors(node.propose(command));
  if (result.outcome !== "alarms") throw new Error(`A change of alarms ended as ${result.outcome}`);
  return result.alarms;
}

/** Throws RpcError unless the target leads when it is over. */
async function moveLeader({ node, state }: ServiceContext, targetId: bigint): Promise<void> {
  if (!node.isLeader) throw rpcError(etcdErrors.notLeader);
  const core = node.status();
  const target = state.directory.get(targetId) === undefined ? 0 : nodeIdOf(targetId);
  if (!core.configuration.voters.includes(target)) throw rpcError(etcdErrors.badTransferee);
  if (target === core.id) return;
  const { outcome } = await node.transferLeadership(target);
  if (outcome !== "done") throw rpcError(etcdErrors.transferTimedOut);
}
