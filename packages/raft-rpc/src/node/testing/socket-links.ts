import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createSecureServer } from "node:tls";
import type { SocketStream } from "../socket-stream.ts";
import { connectTcp } from "../tcp.ts";
import { connectTls } from "../tls.ts";
import { TestAuthority } from "./certificates.ts";

const host = "127.0.0.1";
const connectTimeoutMs = 10_000;
const hasOpenssl = spawnSync("openssl", ["version"]).error === undefined;

/** A connection of this process with itself. */
export interface SocketLink {
  readonly stream: SocketStream;
  /** The other end, Node's own socket, paused. */
  readonly socket: Socket;
  close(): void;
}

async function linked(server: Server, event: string, connect: (port: number) => Promise<SocketStream>): Promise<SocketLink> {
  server.listen(0, host);
  await once(server, "listening");
  const accepted = once(server, event);
  const stream = await connect((server.address() as AddressInfo).port);
  const [socket] = (await accepted) as [Socket];
  socket.pause();
  stream.setHandlers({ onData: () => undefined, onDrain: () => undefined, onClose: () => undefined });
  return {
    stream,
    socket,
    close() {
      stream.destroy();
      socket.destroy();
      server.close();
    },
  };
}

function plainLink(): Promise<SocketLink> {
  return linked(createServer(), "connection", (port) => connectTcp({ host, port }, connectTimeoutMs));
}

async function secureLink(): Promise<SocketLink> {
  const directory = mkdtempSync(join(tmpdir(), "raft-rpc-link-"));
  const authority = new TestAuthority(directory, "authority");
  const { cert, key } = authority.issue("server", { names: `IP:${host}` });
  rmSync(directory, { recursive: true });
  const server = createSecureServer({ cert, key, ALPNProtocols: ["h2"] });
  return linked(server, "secureConnection", (port) => connectTls({ host, port }, { ca: authority.ca }, connectTimeoutMs));
}

/** Each kind, with its name; certificates are made by openssl. */
export const socketLinks = [
  { name: "TCP", open: plainLink, isAbsent: false },
  { name: "TLS", open: secureLink, isAbsent: !hasOpenssl },
] as const;

/** When what has arrived was read. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
