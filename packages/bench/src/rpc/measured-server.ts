import { fileURLToPath } from "node:url";
import type { Contestant, Turn, TurnLoad } from "./contestant.ts";
import { LineProcess } from "./line-process.ts";
import type { EchoLoadProcess } from "./load/echo-load-process.ts";
import { countAnswers, timeAnswers } from "./load/h2load.ts";
import { type CertificateFiles, host } from "./peers/echo-server.ts";
import { pythonServerScript } from "./peers/python-server.ts";

/** The build of `peers/server-main.ts`. */
const serverProgram = fileURLToPath(new URL("./peers/server-main.js", import.meta.url));
const usPerMs = 1000;

/** What a server says when it is asked. */
interface ServerSample {
  readonly answered: number;
  readonly allocatedBytes: number | null;
}

/** What whoever makes a load knows of it. */
type LoadOnServer = Pick<Turn, "ratePerSecond" | "failure"> & { readonly answers: number };

type ServerCost = Pick<Turn, "cpuUs" | "allocatedBytes" | "failure">;

/** A server in a process of its own. */
export class MeasuredServer {
  readonly name: string;
  readonly port: number;
  readonly origin: string;
  readonly #process: LineProcess;

  private constructor(name: string, port: number, scheme: "http" | "https", process: LineProcess) {
    this.name = name;
    this.port = port;
    this.origin = `${scheme}://${host}:${port}`;
    this.#process = process;
  }

  /** One of those that run in Node.js, by its name. `certificate`: over TLS. Rejects if it does not start. */
  static inNode(name: string, certificate: CertificateFiles | null, flags: readonly string[] = []): Promise<MeasuredServer> {
    const files = certificate === null ? [] : [certificate.certFile, certificate.keyFile];
    const scheme = certificate === null ? "http" : "https";
    return MeasuredServer.#start(name, scheme, new LineProcess(process.execPath, [...flags, serverProgram, name, ...files]));
  }

  static inPython(program: string): Promise<MeasuredServer> {
    return MeasuredServer.#start("grpc C-core", "http", new LineProcess(program, ["-c", pythonServerScript]));
  }

  static async #start(name: string, scheme: "http" | "https", process: LineProcess): Promise<MeasuredServer> {
    const { port } = (await process.hello()) as { readonly port: number };
    return new MeasuredServer(name, port, scheme, process);
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  /** Runs a load and adds what it cost the server. */
  async measure<Load extends LoadOnServer>(load: () => Promise<Load>): Promise<Load & ServerCost> {
    const before = await this.#sample();
    const { result, cpuMs } = await this.#process.withCpuTime(load);
    const after = await this.#sample();
    // With what came before anything counted.
    const answered = after.answered - before.answered;
    const allocatedBytes =
      after.allocatedBytes === null || before.allocatedBytes === null ? null : after.allocatedBytes - before.allocatedBytes;
    const shortage = answered < result.answers ? `${result.answers} answers came, but the server counted ${answered}` : null;
    return {
      ...result,
      cpuUs: cpuMs === null ? null : (usPerMs * cpuMs) / answered,
      allocatedBytes: allocatedBytes === null ? null : allocatedBytes / answered,
      failure: result.failure ?? shortage,
    };
  }

  #sample(): Promise<ServerSample> {
    return this.#process.ask(null) as Promise<ServerSample>;
  }
}

/** A server under unary calls of h2load. */
export class UnaryServer implements Contestant {
  readonly name: string;
  readonly #server: MeasuredServer;
  readonly #files: { readonly bodyFile: string; readonly logFile: string };

  constructor(server: MeasuredServer, files: { readonly bodyFile: string; readonly logFile: string }) {
    this.name = server.name;
    this.#server = server;
    this.#files = files;
  }

  async turn(load: TurnLoad, signal: AbortSignal): Promise<Turn> {
    const { bodyFile, logFile } = this.#files;
    const run = { ...load, bodyFile, origin: this.#server.origin };
    const counted = await this.#server.measure(async () => {
      const count = await countAnswers(run, signal);
      return { ...count, ratePerSecond: (1000 * count.answers) / load.durationMs };
    });
    const timed = await timeAnswers(run, logFile, signal);
    return { ...counted, latency: timed.latency, failure: counted.failure ?? timed.failure };
  }
}

/** A server under streams, each with one message on its way, of our client. */
export class StreamingServer implements Contestant {
  readonly name: string;
  readonly #server: MeasuredServer;
  readonly #client: EchoLoadProcess;

  constructor(server: MeasuredServer, client: EchoLoadProcess) {
    this.name = server.name;
    this.#server = server;
    this.#client = client;
  }

  turn(load: TurnLoad): Promise<Turn> {
    return this.#server.measure(() => this.#client.run({ ...load, port: this.#server.port, kind: "stream" }));
  }
}
