import type { MemberFigures, MethodFigures } from "./member-figures.ts";
import { type HistogramDefinition, type Labels, type MetricDefinition, type MetricSample, number } from "./metric-definition.ts";

/** The names of status codes as Go's gRPC has them, by code. */
const codeNames: readonly string[] = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

/** What clients and other members send and get. */
export const networkMetrics: readonly MetricDefinition[] = [
  {
    name: "grpc_server_started_total",
    type: "counter",
    help: "Calls that began.",
    samplesOf: ({ methods }) => byMethod(methods, ({ started }) => started),
  },
  {
    name: "grpc_server_handled_total",
    type: "counter",
    help: "Calls that ended, by their status.",
    samplesOf: ({ methods }) => methods.flatMap(handledSamples),
  },
  {
    name: "grpc_server_msg_received_total",
    type: "counter",
    help: "Messages that came from clients.",
    samplesOf: ({ methods }) => byMethod(methods, ({ messagesReceived }) => messagesReceived),
  },
  {
    name: "grpc_server_msg_sent_total",
    type: "counter",
    help: "Messages that were sent to clients.",
    samplesOf: ({ methods }) => byMethod(methods, ({ messagesSent }) => messagesSent),
  },
  number({
    name: "etcd_network_client_grpc_received_bytes_total",
    type: "counter",
    help: "Bytes of the messages that came from clients.",
    valueOf: ({ methods }) => methods.reduce((sum, { counters }) => sum + counters.bytesReceived, 0),
  }),
  number({
    name: "etcd_network_client_grpc_sent_bytes_total",
    type: "counter",
    help: "Bytes of the messages that were sent to clients.",
    valueOf: ({ methods }) => methods.reduce((sum, { counters }) => sum + counters.bytesSent, 0),
  }),
  number({
    name: "raftkv_client_connections",
    type: "gauge",
    help: "Connections of clients that speak HTTP/2.",
    valueOf: ({ connections }) => connections,
  }),
  number({
    name: "raftkv_client_http_connections",
    type: "gauge",
    help: "Connections of clients that speak HTTP/1.1.",
    valueOf: ({ httpConnections }) => httpConnections,
  }),
  {
    name: "raftkv_client_limit_refusals_total",
    type: "counter",
    help: "How often a limit refused something of a client.",
    samplesOf: ({ limits }) => Object.entries(limits).map(([limit, value]) => ({ labels: { limit }, value })),
  },
  number({
    name: "etcd_debugging_mvcc_watch_stream_total",
    type: "gauge",
    help: "Streams of watches that are open.",
    valueOf: openWatchStreams,
  }),
  {
    name: "etcd_network_peer_sent_bytes_total",
    type: "counter",
    help: "Bytes that were sent to a member.",
    samplesOf: ({ peers }) => peers.map(({ id, traffic }) => ({ labels: { To: id.toString(16) }, value: traffic.sentBytes })),
  },
  {
    name: "etcd_network_peer_received_bytes_total",
    type: "counter",
    help: "Bytes that came from a member.",
    samplesOf: ({ peers }) => peers.map(({ id, traffic }) => ({ labels: { From: id.toString(16) }, value: traffic.receivedBytes })),
  },
  {
    name: "etcd_network_peer_sent_failures_total",
    type: "counter",
    help: "Batches of messages that could not be sent to a member.",
    samplesOf: ({ peers }) => peers.map(({ id, traffic }) => ({ labels: { To: id.toString(16) }, value: traffic.sendFailures })),
  },
  {
    name: "etcd_network_peer_received_failures_total",
    type: "counter",
    help: "Batches of a member that could not be understood, or were not meant for this one.",
    samplesOf: ({ peers }) => peers.map(({ id, traffic }) => ({ labels: { From: id.toString(16) }, value: traffic.receiveFailures })),
  },
  {
    name: "etcd_network_known_peers",
    type: "gauge",
    help: "1 for each other member.",
    samplesOf: (figures) => byPeer(figures, () => 1),
  },
  {
    name: "etcd_network_active_peers",
    type: "gauge",
    help: "1 for another member that is connected, else 0.",
    samplesOf: (figures) => byPeer(figures, ({ isConnected }) => Number(isConnected)),
  },
  {
    name: "etcd_network_disconnected_peers_total",
    type: "counter",
    help: "Streams to another member that were lost.",
    samplesOf: (figures) => byPeer(figures, ({ traffic }) => traffic.disconnects),
  },
];

export const networkHistograms: readonly HistogramDefinition[] = [
  {
    name: "etcd_network_peer_round_trip_time_seconds",
    help: "How long a member took to answer a probe.",
    seriesOf: ({ peers }) => peers.map(({ id, traffic }) => ({ labels: { To: id.toString(16) }, classes: traffic.roundTrips })),
  },
  {
    name: "grpc_server_handling_seconds",
    help: "How long calls took, if the member measures them (--metrics=extensive).",
    seriesOf: ({ methods }) =>
      methods.flatMap((figures) => (figures.seconds === null ? [] : [{ labels: labelsOf(figures), classes: figures.seconds }])),
  },
];

const labelsByMethod = new WeakMap<MethodFigures["counters"], Labels>();

/** Made once for each method: there are hundreds of samples. */
function labelsOf({ service, method, type, counters }: MethodFigures): Labels {
  let labels = labelsByMethod.get(counters);
  if (labels === undefined) {
    labels = { grpc_method: method, grpc_service: service, grpc_type: type };
    labelsByMethod.set(counters, labels);
  }
  return labels;
}

function byMethod(methods: readonly MethodFigures[], valueOf: (counters: MethodFigures["counters"]) => number): readonly MetricSample[] {
  return methods.map((figures) => ({ labels: labelsOf(figures), value: valueOf(figures.counters) }));
}

function handledSamples(figures: MethodFigures): readonly MetricSample[] {
  const { handled } = figures.counters;
  return codeNames.map((name, code) => ({ labels: { grpc_code: name, ...labelsOf(figures) }, value: handled[code] ?? 0 }));
}

function byPeer({ memberId, peers }: MemberFigures, valueOf: (peer: MemberFigures["peers"][number]) => number): readonly MetricSample[] {
  return peers.map((peer) => ({ labels: { Local: memberId.toString(16), Remote: peer.id.toString(16) }, value: valueOf(peer) }));
}

function openWatchStreams({ methods }: MemberFigures): number {
  const watch = methods.find(({ service }) => service === "etcdserverpb.Watch");
  if (watch === undefined) return 0;
  return watch.counters.started - watch.counters.handled.reduce((sum, count) => sum + count, 0);
}
