export type { ByteStream, ByteStreamHandlers } from "./byte-stream.ts";
export { type BackOffOptions, defaultBackOff } from "./client/back-off.ts";
export { Channel, type ChannelOptions, type ChannelState } from "./client/channel.ts";
export type { CallOptions, ClientCall, ClientStreamCall, ClientStreamHandlers, UnaryDone } from "./client/client-call.ts";
export type { ClientInterceptor } from "./client/client-interceptor.ts";
export { inheritCall, type ParentCall } from "./client/inherit-call.ts";
export { type Client, createClient, type Requests, type TypedCallOptions } from "./client/typed-client.ts";
export type { CallObserver, CallSummary } from "./grpc/call-tally.ts";
export type { CompressionJob, Compressor, Inflated } from "./grpc/compressor.ts";
export { Metadata, type MetadataValue, type ReadonlyMetadata } from "./grpc/metadata.ts";
export { type Retryable, RpcError, type RpcErrorOptions } from "./grpc/rpc-error.ts";
export {
  type Codec,
  defineService,
  type MethodDefinition,
  type MethodKind,
  methodPath,
  type RequestOf,
  type ResponseOf,
  type ServiceDefinition,
} from "./grpc/service-definition.ts";
export { StatusCode, statusFromNumber, statusName } from "./grpc/status.ts";
export type { ErrorDetail } from "./grpc/status-details.ts";
export { parseTimeout } from "./grpc/timeout.ts";
export { defaultLimits, type Rate, type RpcLimits } from "./limits.ts";
export { type CredentialFiles, type CredentialWatchOptions, readCredentials, watchCredentials } from "./node/credential-files.ts";
export { gzip } from "./node/gzip.ts";
export { SocketStream } from "./node/socket-stream.ts";
export { SystemClock } from "./node/system-clock.ts";
export { SystemRandom } from "./node/system-random.ts";
export { connectTcp, listenTcp, type TcpAddress, type TcpListener } from "./node/tcp.ts";
export { connectTls, listenTls, type TlsListener, type TlsListenOptions } from "./node/tls.ts";
export type { Pem, TlsClientCredentials, TlsServerCredentials } from "./node/tls-credentials.ts";
export type { PeerIdentity } from "./peer-identity.ts";
export type { RpcClock, RpcRandom, RpcTimer } from "./rpc-clock.ts";
export type { CallInfo, StreamCall, StreamCallHandlers, UnaryCall } from "./server/call.ts";
export { ConnectionAdmission, type ConnectionLimits, defaultConnectionLimits } from "./server/connection-admission.ts";
export { Dispatcher } from "./server/dispatcher.ts";
export type { LimitCounters, LimitName } from "./server/limit-counters.ts";
export { MethodCounters } from "./server/method-counters.ts";
export type { StreamHandler, UnaryHandler } from "./server/route.ts";
export { RpcServer, type RpcServerOptions } from "./server/rpc-server.ts";
export type { ServerCounters } from "./server/server-counters.ts";
export type { ServerInterceptor } from "./server/server-interceptor.ts";
export type { CallContext, ServiceImpl } from "./server/service-impl.ts";
export { DescriptorRegistry } from "./services/descriptor-registry.ts";
export { ServingStatus } from "./services/health-messages.ts";
export { HealthService } from "./services/health-service.ts";
export { addReflection } from "./services/reflection-service.ts";
