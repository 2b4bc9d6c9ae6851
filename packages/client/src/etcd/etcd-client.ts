import { create, etcdserverpb } from "@raftkv/api";
import type { Bytes } from "../bytes.ts";
import type { CallOptions } from "../call-options.ts";
import type { ClientContext } from "../client-context.ts";
import { ClientError } from "../client-error.ts";
import { parseEndpoint } from "../endpoint.ts";
import type { Alarm, AlarmList, AlarmType, MemberList } from "./cluster-types.ts";
import { EtcdRouter, etcdMethod } from "./etcd-router.ts";
import type { KeyRange } from "./key-range.ts";
import { KvClient } from "./kv-client.ts";
import type { ReadOptions } from "./kv-options.ts";
import { LeaseClient } from "./lease/lease-client.ts";
import { MemberClient } from "./member-client.ts";
import { Election } from "./ownership/election.ts";
import { HeldLock } from "./ownership/held-lock.ts";
import type { OwnershipOptions } from "./ownership/ownership.ts";
import type { QueueContext } from "./ownership/queue-context.ts";
import { plainHeader } from "./response-header.ts";
import { WatchMultiplexer } from "./watch/watch-multiplexer.ts";
import type { Watch, WatchOptions } from "./watch/watch-types.ts";

const { clusterService, maintenanceService, AlarmType: AlarmNumber, AlarmRequest_AlarmAction: AlarmAction } = etcdserverpb;
const memberList = etcdMethod(clusterService, clusterService.methods.memberList);
const alarm = etcdMethod(maintenanceService, maintenanceService.methods.alarm);

/**
 * etcd's API, of RaftKV or of etcd itself. Reads go to another member when one does not answer; writes only if they were certainly not
 * applied, else they reject with ERR_OUTCOME_UNKNOWN. All calls reject with ClientError.
 */
export class EtcdClient extends KvClient {
  readonly leases: LeaseClient;
  readonly #context: ClientContext;
  readonly #router: EtcdRouter;
  readonly #watches: WatchMultiplexer;

  constructor(context: ClientContext) {
    const router = new EtcdRouter(context);
    super(router);
    this.#context = context;
    this.#router = router;
    this.leases = new LeaseClient(context, this.#router);
    this.#watches = new WatchMultiplexer(context, this.#router.selection);
  }

  /**
   * ```ts
   * for await (const { events } of etcd.watch({ prefix: "jobs/" }, { startRevision })) work(events);
   * ```
   *
   * Throws RangeError for wrong options, and ClientError; whatever happens later the loop throws.
   */
  watch(keys: KeyRange, options: WatchOptions = {}): Watch {
    return this.#watches.watch(keys, options);
  }

  /**
   * Waits until nobody else holds the lock. Rejects with ClientError.
   *
   * ```ts
   * await using lock = await etcd.lock("locks/printer", { ttl: 10 });
   * await print(job, { fencingToken: lock.fencingToken, signal: lock.signal });
   * ```
   */
  lock(name: Bytes, options: OwnershipOptions = {}): Promise<HeldLock> {
    return HeldLock.acquire(this.#queueContext, name, options);
  }

  election(name: Bytes): Election {
    return new Election(this.#queueContext, name);
  }

  /** The members as the cluster knows them; linearizable where the server can, unless `consistency` is "serializable". */
  async members(options: Pick<ReadOptions, "consistency"> & CallOptions = {}): Promise<MemberList> {
    const request = create(etcdserverpb.MemberListRequestSchema, { linearizable: options.consistency !== "serializable" });
    const response = await this.#router.call("read", memberList, request, options);
    const members = response.members.map(({ ID: id, name, peerURLs: peerUrls, clientURLs: clientUrls, isLearner }) => ({
      id,
      name,
      peerUrls,
      clientUrls,
      isLearner,
    }));
    return { header: plainHeader(response.header), members };
  }

  /** What is asked of one member, by its `host:port`. Throws RangeError. */
  member(address: string): MemberClient {
    return new MemberClient(parseEndpoint(address), this.#context, this.#router);
  }

  /** Every alarm of every member. */
  alarms(options?: CallOptions): Promise<AlarmList> {
    return this.#alarm(AlarmAction.GET, { memberId: 0n, alarm: AlarmNumber.NONE }, options);
  }

  /** Raises an alarm, as a member does. */
  raiseAlarm(given: Alarm, options?: CallOptions): Promise<AlarmList> {
    return this.#alarm(AlarmAction.ACTIVATE, { ...given, alarm: alarmNumber(given.alarm) }, options);
  }

  /** Ends an alarm. Resolves to what was ended: nothing if there was no such alarm. */
  disarm(given: Alarm, options?: CallOptions): Promise<AlarmList> {
    return this.#alarm(AlarmAction.DEACTIVATE, { ...given, alarm: alarmNumber(given.alarm) }, options);
  }

  /** Hands leadership over to the member `targetId`. Asks the configured endpoints for the leader first. */
  async moveLeader(targetId: bigint, options?: CallOptions): Promise<void> {
    const leader = await this.#leader(options);
    await leader.moveLeader(targetId, options);
  }

  get #queueContext(): QueueContext {
    return {
      kv: this,
      leases: this.leases,
      watch: (keys, options) => this.watch(keys, options),
      clock: this.#context.ports.clock,
    };
  }

  /** Calls that wait reject with ERR_CLOSED. The client that this is a part of closes it. */
  close(): void {
    this.#watches.close();
    this.leases.close();
    this.#router.close();
  }

  async #leader(options?: CallOptions): Promise<MemberClient> {
    const members = this.#context.endpoints.map(({ address }) => this.member(address));
    const leaders = members.map(async (member) => {
      const status = await member.status(options);
      if (status.leader !== status.header.memberId || status.leader === 0n) throw new Error(`${member.address} is not the leader`);
      return member;
    });
    try {
      return await Promise.any(leaders);
    } catch (cause) {
      throw new ClientError("ERR_UNREACHABLE", "None of the endpoints is the leader's", { cause });
    }
  }

  async #alarm(
    action: etcdserverpb.AlarmRequest_AlarmAction,
    given: { readonly memberId: bigint; readonly alarm: etcdserverpb.AlarmType },
    options?: CallOptions,
  ): Promise<AlarmList> {
    const request = create(etcdserverpb.AlarmRequestSchema, { action, memberID: given.memberId, alarm: given.alarm });
    const response = await this.#router.call("idempotent", alarm, request, options);
    const alarms = response.alarms.map((found) => ({ memberId: found.memberID, alarm: alarmName(found.alarm) }));
    return { header: plainHeader(response.header), alarms };
  }
}

const alarmNumbers: Readonly<Record<AlarmType, etcdserverpb.AlarmType>> = { NOSPACE: AlarmNumber.NOSPACE, CORRUPT: AlarmNumber.CORRUPT };

function alarmNumber(name: AlarmType | number): etcdserverpb.AlarmType {
  // Enums of proto3 are open: any number may stand on the wire.
  return typeof name === "number" ? (name as etcdserverpb.AlarmType) : alarmNumbers[name];
}

function alarmName(number: number): AlarmType | number {
  if (number === AlarmNumber.NOSPACE) return "NOSPACE";
  return number === AlarmNumber.CORRUPT ? "CORRUPT" : number;
}
