import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { echoPath, waitPath } from "../../conformance/attacks/frame-floods.ts";
import { SystemClock } from "../../node/system-clock.ts";
import { listenTcp } from "../../node/tcp.ts";
import { TestAuthority } from "../../node/testing/certificates.ts";
import { listenTls } from "../../node/tls.ts";
import { Dispatcher } from "../../server/dispatcher.ts";
import { RpcServer } from "../../server/rpc-server.ts";
import { largeAnswerPath } from "./socket-attack.ts";

/** Said once, when the server listens. */
export interface ServerPorts {
  readonly plain: number;
  readonly secure: number;
}

/** Said when it is asked for. */
export interface ServerReport {
  readonly residentBytes: number;
  /** What was refused since the start, by limit. */
  readonly limits: Readonly<Record<string, number>>;
}

const loopback = { host: "127.0.0.1", port: 0 };
const largeAnswer = new Uint8Array(1024 * 1024);

const dispatcher = new Dispatcher()
  .addUnary(echoPath, (message, call) => call.respond(message))
  .addUnary(largeAnswerPath, (_message, call) => call.respond(largeAnswer))
  .addUnary(waitPath, () => undefined);
const server = new RpcServer({ dispatcher, clock: new SystemClock() });
const listener = await listenTcp(loopback, (stream) => server.accept(stream));
const directory = mkdtempSync(join(tmpdir(), "raftkv-attacks-"));
const { cert, key } = new TestAuthority(directory, "ca").issue("localhost", { names: "DNS:localhost,IP:127.0.0.1" });
rmSync(directory, { recursive: true });
let handshakesFailed = 0;
const secureListener = await listenTls(loopback, {
  credentials: { cert, key },
  onStream: (stream) => server.accept(stream),
  onHandshakeError: () => handshakesFailed++,
});

process.on("message", () => {
  const { limits, otherProtocols } = server.counters;
  const refused = { ...Object.fromEntries(Object.entries(limits)), otherProtocols, handshakesFailed };
  const report: ServerReport = { residentBytes: process.memoryUsage.rss(), limits: refused };
  process.send?.(report);
});
process.on("disconnect", () => process.exit(0));
const ports: ServerPorts = { plain: listener.address.port, secure: secureListener.address.port };
process.send?.(ports);
