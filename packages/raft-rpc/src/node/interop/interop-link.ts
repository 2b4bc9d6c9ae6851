import { Channel } from "../../client/channel.ts";
import { Dispatcher } from "../../server/dispatcher.ts";
import { RpcServer } from "../../server/rpc-server.ts";
import { SystemClock } from "../system-clock.ts";
import { connectTcp, listenTcp, type TcpListener } from "../tcp.ts";
import { connectTls, listenTls } from "../tls.ts";
import { messageBytesMax } from "./interop-cases.ts";
import { ChannelInteropClient } from "./interop-client.ts";
import { interopHandlers, interopService } from "./interop-service.ts";
import type { InteropTrust } from "./interop-trust.ts";

export const interopHost = "127.0.0.1";

const clock = new SystemClock();
const limits = { messageBytesMax };
const connectTimeoutMs = 5_000;
const closeGraceMs = 100;

export interface InteropServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Our server with the service; `trust` null: in plain text. */
export async function openOurServer(trust: InteropTrust | null): Promise<InteropServer> {
  const server = new RpcServer({ dispatcher: new Dispatcher().add(interopService, interopHandlers), clock, limits });
  const listener = await listen(server, trust);
  return {
    port: listener.address.port,
    async close() {
      listener.close();
      await server.close(closeGraceMs);
    },
  };
}

function listen(server: RpcServer, trust: InteropTrust | null): Promise<TcpListener> {
  const address = { host: interopHost, port: 0 };
  if (trust === null) return listenTcp(address, (stream) => server.accept(stream));
  const { cert, key } = trust.server;
  const clientCa = trust.client === null ? {} : { clientCa: trust.authority.ca };
  return listenTls(address, { credentials: { cert, key, ...clientCa }, onStream: (stream) => server.accept(stream) });
}

/** Our channel to a server of anyone. */
export function openOurClient(port: number, trust: InteropTrust | null): ChannelInteropClient {
  const address = { host: interopHost, port };
  const own = trust === null || trust.client === null ? {} : { cert: trust.client.cert, key: trust.client.key };
  const channel = new Channel({
    connect: () =>
      trust === null ? connectTcp(address, connectTimeoutMs) : connectTls(address, { ca: trust.authority.ca, ...own }, connectTimeoutMs),
    authority: `${interopHost}:${port}`,
    scheme: trust === null ? "http" : "https",
    clock,
    limits,
  });
  return new ChannelInteropClient(channel);
}
