import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageBytes } from "./echo-service.ts";
import { EchoLoadProcess } from "./load/echo-load-process.ts";
import { h2loadVersion } from "./load/h2load.ts";
import { MeasuredClient } from "./measured-client.ts";
import { MeasuredServer, StreamingServer, UnaryServer } from "./measured-server.ts";
import type { CertificateFiles } from "./peers/echo-server.ts";
import { findPythonWithGrpc } from "./peers/python-server.ts";
import type { RpcBenchOptions, RpcPartName } from "./rpc-options.ts";
import type { RpcPart } from "./rpc-part.ts";
import { makeCertificate } from "./test-certificate.ts";

const oneByOne = { connections: 1, inFlight: 1 };
const tenByTen = { connections: 10, inFlight: 10 };
const tenByHundred = { connections: 10, inFlight: 100 };
const ours = "raft-rpc";
const grpcJs = "grpc-js";
const prefixBytes = 5;

/** The processes of one run: each part has its own, which end with it. */
export class RpcBed {
  /** What is not there, in sentences. */
  readonly missing: string[] = [];
  readonly #options: RpcBenchOptions;
  readonly #directory: string;
  readonly #files: { readonly bodyFile: string; readonly logFile: string };
  readonly #stops: (() => Promise<void>)[] = [];

  /** `directory`: empty; is filled. */
  constructor(options: RpcBenchOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
    this.#files = { bodyFile: join(directory, "body"), logFile: join(directory, "log") };
    const body = Buffer.alloc(prefixBytes + messageBytes, 0x61);
    body[0] = 0;
    body.writeUInt32BE(messageBytes, 1);
    writeFileSync(this.#files.bodyFile, body);
  }

  /** Starts what the part compares; null if what makes its load is not there. `stop` ends it. */
  async part(name: RpcPartName): Promise<RpcPart | null> {
    switch (name) {
      case "unary":
        return this.#hasH2load(name) ? this.#servers(name, [oneByOne, tenByTen, tenByHundred], await this.#plainServers()) : null;
      case "tls": {
        const certificate = makeCertificate(this.#directory);
        if (certificate === null) this.missing.push(`without ${name}: openssl, which makes the certificate, is not on the PATH`);
        return certificate !== null && this.#hasH2load(name)
          ? this.#servers(name, [tenByTen, tenByHundred], await this.#nodeServers([ours, grpcJs, "node:http2"], certificate))
          : null;
      }
      case "stream": {
        const client = await this.#client(ours);
        const contestants = (await this.#plainServers()).map((server) => new StreamingServer(server, client));
        return { name, shapes: [tenByTen, tenByHundred], contestants };
      }
      case "client":
        return this.#clients(name, "unary");
      case "client-stream":
        return this.#clients(name, "stream");
    }
  }

  /** Ends all processes. Resolves when they are gone. */
  async stop(): Promise<void> {
    await Promise.all(this.#stops.splice(0).map((stop) => stop()));
  }

  #servers(name: RpcPartName, shapes: RpcPart["shapes"], servers: readonly MeasuredServer[]): RpcPart {
    return { name, shapes, contestants: servers.map((server) => new UnaryServer(server, this.#files)) };
  }

  async #clients(name: RpcPartName, kind: "unary" | "stream"): Promise<RpcPart> {
    const [server] = await this.#nodeServers([ours], null);
    if (server === undefined) throw new Error("Our server did not start");
    const contestants: MeasuredClient[] = [];
    for (const client of this.#compared([ours, grpcJs])) {
      contestants.push(new MeasuredClient(client, await this.#client(client), { port: server.port, kind }));
    }
    return { name, shapes: [oneByOne, tenByTen, tenByHundred], contestants };
  }

  async #plainServers(): Promise<readonly MeasuredServer[]> {
    const servers = await this.#nodeServers([ours, grpcJs, "node:http2"], null);
    if (this.#options.alone) return servers;
    const python = findPythonWithGrpc();
    if (python === null) {
      this.#miss("without gRPC's C library: no Python has grpc");
      return servers;
    }
    return [...servers, await this.#started(MeasuredServer.inPython(python.program))];
  }

  async #nodeServers(names: readonly string[], certificate: CertificateFiles | null): Promise<readonly MeasuredServer[]> {
    const servers: MeasuredServer[] = [];
    for (const name of this.#compared(names)) {
      servers.push(await this.#started(MeasuredServer.inNode(name, certificate, this.#flagsOf(name))));
    }
    return servers;
  }

  async #client(name: string): Promise<EchoLoadProcess> {
    return this.#started(EchoLoadProcess.start(name, this.#flagsOf(name)));
  }

  async #started<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const started = await starting;
    this.#stops.push(() => started.stop());
    return started;
  }

  #compared(names: readonly string[]): readonly string[] {
    return this.#options.alone ? names.filter((name) => name === ours) : names;
  }

  #flagsOf(name: string): readonly string[] {
    return name === ours ? this.#options.ownNodeFlags : [];
  }

  #hasH2load(part: string): boolean {
    if (h2loadVersion() !== null) return true;
    this.#miss(`without ${part}: h2load, which makes its load, is not on the PATH`);
    return false;
  }

  #miss(sentence: string): void {
    if (!this.missing.includes(sentence)) this.missing.push(sentence);
  }
}
