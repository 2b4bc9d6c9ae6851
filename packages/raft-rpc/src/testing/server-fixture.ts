import { Dispatcher } from "../server/dispatcher.ts";
import { RpcServer, type RpcServerOptions } from "../server/rpc-server.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryStream, type MemoryStreamOptions } from "./memory-stream.ts";
import { RawPeer } from "./raw-peer.ts";

export interface ServerFixture {
  readonly clock: ManualClock;
  readonly dispatcher: Dispatcher;
  readonly server: RpcServer;
  /** What the server's hooks reported. */
  readonly reports: string[];
  /** A new connection, whose other end sends raw frames. */
  peer(): RawPeer;
  /** A peer that has sent preface and SETTINGS. */
  startedPeer(settings?: readonly (readonly [number, number])[]): RawPeer;
  /** A new connection, for a channel. */
  connect(): Promise<MemoryStream>;
}

/** A server in memory with `/x.Y/Echo`, which answers with its request. */
export function startServer(
  options: Partial<RpcServerOptions> & { readonly stream?: Partial<MemoryStreamOptions>; readonly clock?: ManualClock } = {},
): ServerFixture {
  const clock = options.clock ?? new ManualClock();
  const dispatcher = new Dispatcher().addUnary("/x.Y/Echo", (message, call) => call.respond(message));
  const reports: string[] = [];
  const server = new RpcServer({
    dispatcher,
    onHandlerError: (path, error) => reports.push(`${path}: ${error instanceof Error ? error.message : String(error)}`),
    onConnectionClosed: (_address, error) => {
      if (error !== null) reports.push(error.message);
    },
    ...options,
    clock,
  });
  const open = (): [MemoryStream, MemoryStream] => MemoryStream.pair({ clock, ...options.stream });
  const peer = (): RawPeer => {
    const [client, accepted] = open();
    server.accept(accepted);
    return new RawPeer(client, "client");
  };
  return {
    clock,
    dispatcher,
    server,
    reports,
    peer,
    startedPeer(settings = []) {
      const started = peer();
      started.startClient(settings);
      clock.settle();
      return started;
    },
    connect() {
      const [client, accepted] = open();
      server.accept(accepted);
      return Promise.resolve(client);
    },
  };
}
