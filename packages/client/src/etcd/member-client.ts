import { create, etcdserverpb } from "@raftkv/api";
import type { CallOptions } from "../call-options.ts";
import type { ClientContext } from "../client-context.ts";
import type { Endpoint } from "../endpoint.ts";
import type { BackendHash, EndpointStatus, KeyHash, SnapshotChunk } from "./cluster-types.ts";
import { type EtcdRouter, etcdMethod } from "./etcd-router.ts";
import { plainHeader } from "./response-header.ts";
import { readSnapshot } from "./snapshot-stream.ts";

const { maintenanceService: service } = etcdserverpb;
const status = etcdMethod(service, service.methods.status);
const hash = etcdMethod(service, service.methods.hash);
const hashKV = etcdMethod(service, service.methods.hashKV);
const defragment = etcdMethod(service, service.methods.defragment);
const moveLeader = etcdMethod(service, service.methods.moveLeader);

/** What is asked of one member, not of the cluster. Nothing is tried again. Every call rejects with ClientError. */
export class MemberClient {
  /** `host:port`. */
  readonly address: string;
  readonly #endpoint: Endpoint;
  readonly #context: ClientContext;
  readonly #router: EtcdRouter;

  constructor(endpoint: Endpoint, context: ClientContext, router: EtcdRouter) {
    this.address = endpoint.address;
    this.#endpoint = endpoint;
    this.#context = context;
    this.#router = router;
  }

  async status(options?: CallOptions): Promise<EndpointStatus> {
    const response = await this.#router.callAt(this.#endpoint, status, create(etcdserverpb.StatusRequestSchema), options);
    return {
      header: plainHeader(response.header),
      version: response.version,
      dbSizeBytes: Number(response.dbSize),
      dbSizeInUseBytes: Number(response.dbSizeInUse),
      leader: response.leader,
      raftIndex: Number(response.raftIndex),
      raftTerm: Number(response.raftTerm),
      raftAppliedIndex: Number(response.raftAppliedIndex),
      errors: response.errors,
      isLearner: response.isLearner,
      storageVersion: response.storageVersion,
      dbSizeQuotaBytes: Number(response.dbSizeQuota),
    };
  }

  /** Of all keys up to `revision`, 0 for now. */
  async hashKv(revision = 0, options?: CallOptions): Promise<KeyHash> {
    const request = create(etcdserverpb.HashKVRequestSchema, { revision: BigInt(revision) });
    const response = await this.#router.callAt(this.#endpoint, hashKV, request, options);
    return {
      header: plainHeader(response.header),
      hash: response.hash,
      compactRevision: Number(response.compactRevision),
      hashRevision: Number(response.hashRevision),
    };
  }

  async hash(options?: CallOptions): Promise<BackendHash> {
    const response = await this.#router.callAt(this.#endpoint, hash, create(etcdserverpb.HashRequestSchema), options);
    return { header: plainHeader(response.header), hash: response.hash };
  }

  /** Gives space back that is free in the member's files. */
  async defragment(options?: CallOptions): Promise<void> {
    await this.#router.callAt(this.#endpoint, defragment, create(etcdserverpb.DefragmentRequestSchema), options);
  }

  /** Only the leader does it: hands leadership over to the member `targetId`. */
  async moveLeader(targetId: bigint, options?: CallOptions): Promise<void> {
    const request = create(etcdserverpb.MoveLeaderRequestSchema, { targetID: targetId });
    await this.#router.callAt(this.#endpoint, moveLeader, request, options);
  }

  /**
   * The member's snapshot, piece by piece: all blobs one after the other are the file. Read as fast as the loop takes it, or slower while
   * others write; `timeoutMs` is the longest pause between two pieces. Throws ClientError.
   */
  snapshot(options: CallOptions = {}): AsyncIterableIterator<SnapshotChunk> {
    return readSnapshot(this.#context, this.#endpoint, options);
  }
}
