import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createSecureServer } from "node:tls";
import { expect, test } from "vitest";
import type { SocketStream } from "./socket-stream.ts";
import { connectTcp } from "./tcp.ts";
import { TestAuthority } from "./testing/certificates.ts";
import { connectTls } from "./tls.ts";

const host = "127.0.0.1";
const connectTimeoutMs = 10_000;
const pieceBytes = 64 * 1024;
const hasOpenssl = spawnSync("openssl", ["version"]).error === undefined;

interface Link {
  readonly writer: SocketStream;
  /** Node's own socket, paused. */
  readonly reader: Socket;
  close(): void;
}

async function linked(server: Server, event: string, connect: (port: number) => Promise<SocketStream>): Promise<Link> {
  server.listen(0, host);
  await once(server, "listening");
  const accepted = once(server, event);
  const writer = await connect((server.address() as AddressInfo).port);
  const [reader] = (await accepted) as [Socket];
  reader.pause();
  writer.setHandlers({ onData: () => undefined, onDrain: () => undefined, onClose: () => undefined });
  return {
    writer,
    reader,
    close() {
      writer.destroy();
      reader.destroy();
      server.close();
    },
  };
}

function plainLink(): Promise<Link> {
  return linked(createServer(), "connection", (port) => connectTcp({ host, port }, connectTimeoutMs));
}

async function secureLink(): Promise<Link> {
  const directory = mkdtempSync(join(tmpdir(), "raft-rpc-held-"));
  const authority = new TestAuthority(directory, "authority");
  const { cert, key } = authority.issue("server", { names: `IP:${host}` });
  rmSync(directory, { recursive: true });
  const server = createSecureServer({ cert, key, ALPNProtocols: ["h2"] });
  return linked(server, "secureConnection", (port) => connectTls({ host, port }, { ca: authority.ca }, connectTimeoutMs));
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function untilFree(writer: SocketStream): Promise<void> {
  while (writer.holdsWritten) await turn();
}

/** Reads so many bytes; the first of each piece. */
function firstsOf(reader: Socket, pieces: number): Promise<readonly number[]> {
  const firsts: number[] = [];
  let byteCount = 0;
  return new Promise((resolve) => {
    reader.on("data", (chunk: Buffer) => {
      for (let at = (pieceBytes - (byteCount % pieceBytes)) % pieceBytes; at < chunk.length; at += pieceBytes) firsts.push(chunk[at] ?? -1);
      byteCount += chunk.length;
      if (byteCount === pieces * pieceBytes) resolve(firsts);
    });
  });
}

const links = [
  ["TCP", plainLink],
  ["TLS", secureLink],
] as const;

for (const [name, link] of links) {
  test.skipIf(name === "TLS" && !hasOpenssl)(`over ${name} what the other end does not read is held, until it does`, async () => {
    const { writer, reader, close } = await link();
    let pieces = 0;
    do {
      writer.write(new Uint8Array(pieceBytes).fill(pieces++));
      for (let turns = 0; turns < 20 && writer.holdsWritten; turns++) await turn();
    } while (!writer.holdsWritten);
    const firsts = firstsOf(reader, pieces);
    reader.resume();
    await untilFree(writer);
    expect(await firsts).toEqual(Array.from({ length: pieces }, (_, place) => place % 256));
    close();
  });

  test.skipIf(name === "TLS" && !hasOpenssl)(`over ${name} memory that is not held any more may be written again`, async () => {
    const { writer, reader, close } = await link();
    const pieces = 500;
    const firsts = firstsOf(reader, pieces);
    reader.resume();
    const memory = new Uint8Array(pieceBytes);
    for (let place = 0; place < pieces; place++) {
      writer.write(memory.fill(place));
      await untilFree(writer);
      memory.fill(0xff);
    }
    expect(await firsts).toEqual(Array.from({ length: pieces }, (_, place) => place % 256));
    close();
  });
}
