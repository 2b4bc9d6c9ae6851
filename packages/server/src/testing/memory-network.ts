import { type Address, type Clock, type Connection, type Listener, type Network, NetworkError } from "@raftkv/raft-node";
import { MemoryConnection } from "./memory-connection.ts";

interface OpenConnection {
  readonly client: { readonly host: string; readonly end: MemoryConnection };
  readonly server: { readonly host: string; readonly end: MemoryConnection };
}

/** Machines with names, connected in memory. */
export class MemoryNetwork {
  /** Of each connection that is made from now on, in each direction; see MemoryConnectionOptions. Default: no limit. */
  connectionBytesMax = Number.POSITIVE_INFINITY;
  private readonly clock: Clock;
  private readonly listeners = new Map<string, (connection: Connection) => void>();
  private connections: OpenConnection[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** The network as the machine `host` sees it. */
  portOf(host: string): Network {
    return {
      listen: ({ port }, onConnection) => Promise.resolve(this.listen({ host, port }, onConnection)),
      connect: async (address) => this.connect(host, address),
    };
  }

  /** The process dies: it hears nothing more, its connections are reset at their other ends, and nobody gets through to it. */
  crash(host: string): void {
    for (const end of this.takeAway(host)) end.abandon();
  }

  /** The machine loses its power: as a crash, but nobody tells the other ends, not even when it is back. */
  powerOff(host: string): void {
    for (const end of this.takeAway(host)) end.vanish();
  }

  /** The machine's ends of the connections it had. */
  private takeAway(host: string): readonly MemoryConnection[] {
    for (const name of [...this.listeners.keys()]) if (name.startsWith(`${host}:`)) this.listeners.delete(name);
    const lost = this.connections.filter(({ client, server }) => client.host === host || server.host === host);
    this.connections = this.connections.filter((connection) => !lost.includes(connection));
    return lost.map(({ client, server }) => (client.host === host ? client : server).end);
  }

  private listen(address: Address, onConnection: (connection: Connection) => void): Listener {
    const name = nameOf(address);
    this.listeners.set(name, onConnection);
    return {
      address,
      close: async () => {
        this.listeners.delete(name);
      },
    };
  }

  private connect(from: string, to: Address): Connection {
    const onConnection = this.listeners.get(nameOf(to));
    if (onConnection === undefined) throw new NetworkError("refused", `Connection to ${nameOf(to)} was refused`);
    const options = { clock: this.clock, bytesMax: this.connectionBytesMax };
    const [near, far] = MemoryConnection.pair(`${from}:0`, nameOf(to), options);
    this.connections.push({ client: { host: from, end: near }, server: { host: to.host, end: far } });
    onConnection(far);
    return near;
  }
}

function nameOf({ host, port }: Address): string {
  return `${host}:${port}`;
}
