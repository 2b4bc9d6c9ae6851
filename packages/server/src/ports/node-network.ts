import type { Socket } from "node:net";
import { type Address, type Connection, type Listener, type Network, NetworkError, type NetworkErrorCode } from "@raftkv/raft-node";
import { connectTcp, listenTcp, SocketStream } from "@raftkv/raft-rpc";
import { systemCode } from "./disk-error.ts";

interface Failure {
  readonly code: NetworkErrorCode;
  readonly sentence: (address: string) => string;
}

const failures: Readonly<Record<string, Failure>> = {
  EADDRINUSE: { code: "address-in-use", sentence: (address) => `Address ${address} is in use` },
  EADDRNOTAVAIL: { code: "address-not-available", sentence: (address) => `Address ${address} is not one of this machine` },
  EACCES: { code: "permission", sentence: (address) => `Address ${address} needs a permission that this process does not have` },
  EPERM: { code: "permission", sentence: (address) => `Address ${address} needs a permission that this process does not have` },
  ECONNREFUSED: { code: "refused", sentence: (address) => `Connection to ${address} was refused` },
  ETIMEDOUT: { code: "timed-out", sentence: (address) => `Nobody answered at ${address} in time` },
  ENOTFOUND: { code: "unknown-host", sentence: (address) => `The host of ${address} is unknown` },
  EAI_AGAIN: { code: "unknown-host", sentence: (address) => `The host of ${address} can't be looked up now` },
};

function networkError(reason: unknown, verb: string, { host, port }: Address): NetworkError {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const failure = failures[systemCode(reason) ?? ""];
  const why = reason instanceof Error ? reason.message : String(reason);
  const sentence = failure?.sentence(address) ?? `Cannot ${verb} ${address}: ${why}`;
  return new NetworkError(failure?.code ?? "io", sentence, { cause: reason });
}

/** TCP on this machine. Its connections are the socket streams of raft-rpc, with Nagle's algorithm off. */
export class NodeNetwork implements Network {
  async listen(address: Address, onConnection: (connection: Connection) => void): Promise<Listener> {
    try {
      const listener = await listenTcp(address, onConnection);
      return { address: listener.address, close: async () => listener.close() };
    } catch (reason) {
      throw networkError(reason, "listen on", address);
    }
  }

  async connect(address: Address, timeoutMs: number): Promise<Connection> {
    try {
      return await connectTcp(address, timeoutMs);
    } catch (reason) {
      // Errors of the system have a code; the only one without is connectTcp's own time-out.
      if (systemCode(reason) === null && reason instanceof Error) throw new NetworkError("timed-out", reason.message, { cause: reason });
      throw networkError(reason, "connect to", address);
    }
  }
}

/**
 * The socket under a connection of NodeNetwork, for a protocol that is not ours: without our listeners, paused, with `firstBytes` to be
 * read again. The new owner resumes it in the same turn.
 */
export function socketOf(connection: Connection, firstBytes: Uint8Array): Socket {
  if (!(connection instanceof SocketStream)) throw new Error(`The connection with ${connection.remoteAddress} has no socket`);
  return connection.release(firstBytes);
}
