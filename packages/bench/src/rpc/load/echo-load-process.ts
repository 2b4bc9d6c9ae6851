import { fileURLToPath } from "node:url";
import { LineProcess } from "../line-process.ts";
import type { EchoLoad, EchoLoadResult } from "./echo-load.ts";

/** The build of `peers/client-main.ts`. */
const clientProgram = fileURLToPath(new URL("../peers/client-main.js", import.meta.url));

/** What a client's process says of a load that it made. */
export interface EchoLoadReport extends EchoLoadResult {
  /** On V8's heap, while the load ran, with what came before anything counted. */
  readonly allocatedBytes: number;
  /** Null where the system does not tell. */
  readonly cpuMs: number | null;
}

/** A client in a process of its own, which makes one load after the other. */
export class EchoLoadProcess {
  readonly #process: LineProcess;

  private constructor(process: LineProcess) {
    this.#process = process;
  }

  /** `name`: of an implementation. Rejects if it does not start. */
  static async start(name: string, flags: readonly string[] = []): Promise<EchoLoadProcess> {
    const child = new LineProcess(process.execPath, [...flags, clientProgram, name]);
    await child.hello();
    return new EchoLoadProcess(child);
  }

  async run(load: EchoLoad): Promise<EchoLoadReport> {
    const { result, cpuMs } = await this.#process.withCpuTime(() => this.#process.ask(load));
    return { ...(result as Omit<EchoLoadReport, "cpuMs">), cpuMs };
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
