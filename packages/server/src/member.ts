import { clientFileDescriptors, clientMethodKinds, etcdserverpb } from "@raftkv/api";
import { openLogStore, readIdentity } from "@raftkv/log-store";
import type { NodeId } from "@raftkv/raft-core";
import {
  bootstrapLog,
  type Clock,
  isEmptyLog,
  type Listener,
  type Logger,
  type LogStore,
  NetworkError,
  type Ports,
  RaftNode,
} from "@raftkv/raft-node";
import {
  addReflection,
  type ByteStream,
  DescriptorRegistry,
  Dispatcher,
  RpcServer,
  type RpcServerOptions,
  type ServerCounters,
} from "@raftkv/raft-rpc";
import { AttributesPublisher } from "./cluster/attributes-publisher.ts";
import { founders, foundingConfiguration } from "./cluster/founding.ts";
import { type FoundingCluster, foundCluster, idText, nodeIdOf } from "./cluster/identity.ts";
import { MemberDirectory } from "./cluster/member-directory.ts";
import { MemberStores } from "./cluster/member-stores.ts";
import { ConfigError } from "./config/config-error.ts";
import type { MemberConfig } from "./config/member-config.ts";
import type { MemberUrl } from "./config/member-url.ts";
import type { OptionName } from "./config/options.ts";
import { MemberLeases } from "./lease/member-leases.ts";
import { PeerNetwork, peerLimits } from "./peer/peer-network.ts";
import type { ClientCalls } from "./services/client-calls.ts";
import { type CallType, ClientVersions } from "./services/client-versions.ts";
import { clusterService } from "./services/etcd/cluster-service.ts";
import { KvService } from "./services/etcd/kv-service.ts";
import { maintenanceService } from "./services/etcd/maintenance-service.ts";
import { authService } from "./services/etcd/unimplemented-service.ts";
import { HandlingTimes } from "./services/handling-times.ts";
import { HealthReporter } from "./services/health-reporter.ts";
import { leaderRequirement } from "./services/leader-requirement.ts";
import { memberTrouble } from "./services/member-trouble.ts";
import { RaftKVService } from "./services/raftkv/raftkv-service.ts";
import type { ServiceContext } from "./services/service-context.ts";
import { ServiceCounts } from "./services/service-counts.ts";
import type { ApplyResult } from "./state/apply-result.ts";
import { ReplicatedState } from "./state/replicated-state.ts";
import { StoreUpkeep } from "./store-upkeep.ts";
import { MemberWatches } from "./watch/member-watches.ts";

/** gRPC accepts this much more than a request may have, so that the request itself is refused with etcd's error. */
const messageOverheadBytes = 512 * 1024;
/** How long calls that are being served may take when the member stops. */
const drainMs = 2_000;

/** Serves connections to the client port that don't speak HTTP/2. */
export interface OtherProtocol {
  /** Takes a connection with what was read of it. */
  accept(connection: ByteStream, firstBytes: Uint8Array): void;
  /** Takes a new connection of somebody who may only see how the member is. */
  acceptForMetrics(connection: ByteStream): void;
  /** Lets what is being answered end for `graceMs`, then ends it. Resolves when all connections are closed. */
  close(graceMs: number): Promise<void>;
}

export interface MemberOptions {
  readonly config: MemberConfig;
  readonly ports: Ports;
  /** What a start holds of the log in memory, see `LogStoreOptions`. */
  readonly recoveredBytesMax?: number;
  /** Made when all else of the member is there. Default: connections that don't speak HTTP/2 are closed. */
  readonly otherProtocol?: (member: Member) => OtherProtocol;
  /** The member can't go on and has stopped acknowledging; the process should end. */
  readonly onFatal: (error: Error) => void;
}

/** A RaftKV member on whatever ports it is given: the composition root. The same code runs on real ports and in the simulator. */
export class Member {
  readonly context: ServiceContext;
  readonly clientCalls: ClientCalls;
  readonly watches: MemberWatches;
  readonly peers: PeerNetwork;
  readonly leases: MemberLeases;
  readonly upkeep: StoreUpkeep;
  readonly clientVersions: ClientVersions;
  /** Null unless they are asked for. */
  readonly handlingTimes: HandlingTimes | null;
  private readonly ports: Ports;
  private readonly health: HealthReporter;
  private readonly clientServer: RpcServer;
  private readonly peerServer: RpcServer;
  private readonly otherProtocol: OtherProtocol | null;
  private readonly listeners: readonly Listener[];
  private readonly publisher: AttributesPublisher;
  private closing: Promise<void> | null = null;

  /** Resolves when the member serves. Rejects with a ConfigError, LogStoreError or NetworkError that a person can act on. */
  static async start(options: MemberOptions): Promise<Member> {
    const { config, ports } = options;
    const cluster = foundCluster(config.initialCluster, config.initialClusterToken);
    const memberId = cluster.members.find((member) => member.name === config.name)?.id;
    if (memberId === undefined) throw new ConfigError(`--initial-cluster does not name this member "${config.name}"`);

    const opening = new Opening();
    try {
      // Ports first: when they are taken, nothing on the disk has been touched.
      const peerGate = new ConnectionGate();
      const clientGate = new ConnectionGate();
      for (const url of config.listenPeerUrls) opening.listeners.push(await listen(ports, url, peerGate, "listen-peer-urls"));
      const metricsGate = new ConnectionGate();
      for (const url of config.clientPort.listenMetricsUrls) {
        opening.listeners.push(await listen(ports, url, metricsGate, "listen-metrics-urls"));
      }
      for (const url of config.listenClientUrls) opening.listeners.push(await listen(ports, url, clientGate, "listen-client-urls"));
      const state = new ReplicatedState(new MemberDirectory(founders(cluster)), ports.random.below(2 ** 32), ports.clock);
      opening.logStore = await openLog(options, cluster, memberId, state);
      return await Member.run(options, {
        cluster,
        memberId,
        state,
        logStore: opening.logStore,
        listeners: opening.listeners,
        peerGate,
        clientGate,
        metricsGate,
      });
    } catch (error) {
      await opening.undo();
      throw error;
    }
  }

  private static async run(options: MemberOptions, parts: MemberParts): Promise<Member> {
    const { config, ports } = options;
    const { cluster, memberId, state, logStore } = parts;
    const stores = new MemberStores(state.directory);
    stores.rememberAll(logStore.recovered.entries);
    const self = { clusterId: cluster.clusterId, memberId, name: config.name, storeId: logStore.storeId };
    const transport = new PeerNetwork({
      self,
      directory: state.directory,
      stores,
      network: ports.network,
      clock: ports.clock,
      random: ports.random,
      logger: ports.logger,
      electionMs: config.electionMs,
      heartbeatMs: config.heartbeatMs,
    });
    let leases: MemberLeases | null = null;
    const node = await RaftNode.start<ApplyResult>({
      id: nodeIdOf(memberId),
      logStore,
      founders: foundingConfiguration(cluster),
      stateMachine: state,
      transport,
      clock: ports.clock,
      random: ports.random,
      logger: ports.logger,
      heartbeatMs: config.heartbeatMs,
      electionMs: config.electionMs,
      snapshotCount: config.snapshotCount,
      nameOf: (nodeId) => nameOf(nodeId, state.directory, cluster),
      onRoleChange: () => leases?.roleChanged(),
      onFatal: options.onFatal,
    });
    const upkeep = new StoreUpkeep({ config: config.store, node, state, memberId, ports });
    const context: ServiceContext = {
      node,
      state,
      clusterId: cluster.clusterId,
      memberId,
      maxRequestBytes: config.maxRequestBytes,
      maxTxnOps: config.store.maxTxnOps,
      quota: upkeep.space.quota,
      counts: new ServiceCounts(),
      header: (revision) => ({ clusterId: cluster.clusterId, memberId, revision, raftTerm: node.term }),
    };
    const { clock } = ports;
    leases = new MemberLeases({ node, state, self, stores, peers: transport, clock, electionMs: config.electionMs });
    return new Member(options, parts, context, { transport, leases, upkeep });
  }

  private constructor(options: MemberOptions, parts: MemberParts, context: ServiceContext, { transport, leases, upkeep }: RunningParts) {
    const { config, ports } = options;
    this.ports = ports;
    this.context = context;
    this.peers = transport;
    this.leases = leases;
    this.upkeep = upkeep;
    this.listeners = parts.listeners;

    const peerDispatcher = new Dispatcher();
    transport.register(peerDispatcher);
    leases.registerForPeers(peerDispatcher);
    const observed = observers(ports.logger);
    this.peerServer = new RpcServer({ dispatcher: peerDispatcher, clock: ports.clock, limits: peerLimits, ...observed });
    parts.peerGate.open((connection) => this.peerServer.accept(connection));

    this.health = new HealthReporter({ node: context.node, clock: ports.clock });
    const { limits, connections } = config.clientPort;
    const messageBytesMax = config.maxRequestBytes + messageOverheadBytes;
    const dispatcher = clientDispatcher(context, this.health, upkeep, ports.clock);
    const { electionMs, maxLeases } = config;
    this.watches = new MemberWatches({ context, config: config.watch, electionMs, clock: ports.clock, random: ports.random });
    this.watches.register(dispatcher);
    const { hub, leaderLoss } = this.watches;
    leases.registerForClients(dispatcher, { context, hub, leaderLoss, random: ports.random, leasesMax: maxLeases });
    this.clientVersions = new ClientVersions(callTypeOf());
    this.handlingTimes = config.clientPort.measuresCalls ? new HandlingTimes() : null;
    this.clientCalls = {
      dispatcher,
      interceptors: [this.clientVersions, leaderRequirement(context.node), ...(this.handlingTimes === null ? [] : [this.handlingTimes])],
      messageBytesMax,
      concurrentMax: limits.concurrentStreamsMax,
      onHandlerError: observed.onHandlerError,
    };
    const otherProtocol = options.otherProtocol?.(this) ?? null;
    this.otherProtocol = otherProtocol;
    this.clientServer = new RpcServer({
      dispatcher,
      interceptors: this.clientCalls.interceptors,
      clock: ports.clock,
      random: ports.random,
      limits: { ...limits, messageBytesMax },
      connections,
      ...observed,
      ...(otherProtocol === null ? {} : { onOtherProtocol: (connection, firstBytes) => otherProtocol.accept(connection, firstBytes) }),
    });
    parts.clientGate.open((connection) => this.clientServer.accept(connection));
    if (otherProtocol !== null) parts.metricsGate.open((connection) => otherProtocol.acceptForMetrics(connection));

    this.publisher = new AttributesPublisher(context, {
      clock: ports.clock,
      logger: ports.logger,
      attributes: {
        memberId: parts.memberId,
        name: config.name,
        clientUrls: config.advertiseClientUrls.map((url) => url.href),
        storeId: parts.logStore.storeId,
      },
    });
    const trouble = memberTrouble(context.node);
    if (trouble !== null) ports.logger.error("does not take part as a sound member does", { what: trouble.sentence });
    ports.logger.info("ready to serve client requests", {
      name: config.name,
      clusterId: idText(parts.cluster.clusterId),
      memberId: idText(parts.memberId),
      clientUrls: config.listenClientUrls.map((url) => url.href),
    });
  }

  /** Of the connections of clients. */
  get clientCounters(): ServerCounters {
    return this.clientServer.counters;
  }

  /** Hands leadership on, takes no more calls, finishes those under way, closes the files. May be called twice. */
  close(): Promise<void> {
    this.closing ??= this.stop();
    return this.closing;
  }

  private async stop(): Promise<void> {
    // First: until another member leads, nobody can write anywhere. Those who are connected are served meanwhile.
    await this.context.node.handOver();
    this.ports.logger.info("closing the member");
    this.publisher.stop();
    this.upkeep.stop();
    this.health.stop();
    await Promise.all(this.listeners.map((listener) => listener.close()));
    this.watches.close();
    this.leases.endCalls();
    await Promise.all([this.clientServer.close(drainMs), this.otherProtocol?.close(drainMs)]);
    await this.leases.close();
    // Before the node: a snapshot that is being received would keep the log open.
    await this.peerServer.close(0);
    await this.context.node.close();
    this.ports.logger.info("closed the member");
  }
}

interface MemberParts {
  readonly cluster: FoundingCluster;
  readonly memberId: bigint;
  readonly state: ReplicatedState;
  readonly logStore: LogStore;
  readonly listeners: readonly Listener[];
  readonly peerGate: ConnectionGate;
  readonly clientGate: ConnectionGate;
  readonly metricsGate: ConnectionGate;
}

interface RunningParts {
  readonly transport: PeerNetwork;
  readonly leases: MemberLeases;
  readonly upkeep: StoreUpkeep;
}

/** What has to be closed again if the start fails half-way. */
class Opening {
  readonly listeners: Listener[] = [];
  logStore: LogStore | null = null;

  async undo(): Promise<void> {
    await Promise.all(this.listeners.map((listener) => listener.close()));
    await this.logStore?.close();
  }
}

/** Turns connections away until the member is ready for them. */
class ConnectionGate {
  private accept: ((connection: ByteStream) => void) | null = null;

  open(accept: (connection: ByteStream) => void): void {
    this.accept = accept;
  }

  enter(connection: ByteStream): void {
    if (this.accept === null) connection.destroy();
    else this.accept(connection);
  }
}

async function listen(ports: Ports, url: MemberUrl, gate: ConnectionGate, flag: OptionName): Promise<Listener> {
  try {
    return await ports.network.listen({ host: url.host, port: url.port }, (connection) => gate.enter(connection));
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    throw new ConfigError(`${error.message}; end what uses it or change --${flag}`, { cause: error });
  }
}

/** What goes wrong inside a server is written down; clients see only a status. */
function observers(logger: Logger): Required<Pick<RpcServerOptions, "onHandlerError" | "onConnectionClosed">> {
  return {
    onHandlerError: (path, error) => logger.error("a handler failed", { path, error }),
    onConnectionClosed: (remoteAddress, error) => {
      if (error !== null) logger.debug("a connection failed", { remoteAddress, error });
    },
  };
}

/** Tells calls with one request and one answer from streams. */
function callTypeOf(): (path: string) => CallType {
  const kinds = clientMethodKinds();
  return (path) => (kinds.get(path) === "unary" ? "unary" : "stream");
}

function clientDispatcher(context: ServiceContext, health: HealthReporter, { reclaimer }: StoreUpkeep, clock: Clock): Dispatcher {
  const dispatcher = new Dispatcher();
  new KvService(context, reclaimer).register(dispatcher);
  new RaftKVService(context).register(dispatcher);
  dispatcher.add(etcdserverpb.clusterService, clusterService(context));
  dispatcher.add(etcdserverpb.maintenanceService, maintenanceService(context, clock));
  dispatcher.add(etcdserverpb.authService, authService());
  health.register(dispatcher);
  addReflection(
    dispatcher,
    clientFileDescriptors().reduce((registry, file) => registry.add(file), new DescriptorRegistry()),
  );
  return dispatcher;
}

/** The name, also of a founder that has not started yet; else the id as etcdctl shows it. */
function nameOf(nodeId: NodeId, directory: MemberDirectory, cluster: FoundingCluster): string {
  const member = directory.byNodeId(nodeId);
  if (member === undefined) return String(nodeId);
  return member.name || (cluster.members.find(({ id }) => id === member.id)?.name ?? idText(member.id));
}

/** Opens the log of an existing member, or begins that of a founding one, also if damage took all of it. */
async function openLog(options: MemberOptions, cluster: FoundingCluster, memberId: bigint, state: ReplicatedState): Promise<LogStore> {
  const { config, ports, recoveredBytesMax } = options;
  const { clusterId } = cluster;
  const existing = await readIdentity(ports.disk, config.dataDir);
  if (existing === null && config.initialClusterState === "existing") {
    throw new ConfigError(
      `--initial-cluster-state existing needs a data directory that holds this member, ${config.dataDir} is empty; members can't be added to a running cluster yet`,
    );
  }
  if (existing !== null && (existing.clusterId !== clusterId || existing.memberId !== memberId)) {
    throw new ConfigError(
      `data directory ${config.dataDir} belongs to member ${idText(existing.memberId)} of cluster ${idText(existing.clusterId)}, ` +
        `but the options describe member ${idText(memberId)} of cluster ${idText(clusterId)}; give another --data-dir, or the options it was founded with`,
    );
  }
  const limits = recoveredBytesMax === undefined ? {} : { recoveredBytesMax };
  const open = (): Promise<LogStore> => openLogStore({ ...ports, ...limits, directory: config.dataDir, identity: { clusterId, memberId } });
  const logStore = await open();
  if (!isEmptyLog(logStore)) return logStore;
  try {
    await bootstrapLog(logStore, foundingConfiguration(cluster), state);
  } finally {
    await logStore.close();
  }
  return open();
}
