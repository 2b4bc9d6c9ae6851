import type { Contestant, Turn, TurnLoad } from "./contestant.ts";
import type { EchoLoad } from "./load/echo-load.ts";
import type { EchoLoadProcess } from "./load/echo-load-process.ts";

const usPerMs = 1000;

/** A client that makes a load for a server which all clients share. */
export class MeasuredClient implements Contestant {
  readonly name: string;
  readonly #process: EchoLoadProcess;
  readonly #target: Pick<EchoLoad, "port" | "kind">;

  constructor(name: string, process: EchoLoadProcess, target: Pick<EchoLoad, "port" | "kind">) {
    this.name = name;
    this.#process = process;
    this.#target = target;
  }

  async turn(load: TurnLoad): Promise<Turn> {
    const report = await this.#process.run({ ...load, ...this.#target });
    const { ratePerSecond, latency, failure, calls, allocatedBytes, cpuMs } = report;
    return {
      ratePerSecond,
      latency,
      cpuUs: cpuMs === null ? null : (usPerMs * cpuMs) / calls,
      allocatedBytes: allocatedBytes / calls,
      failure,
    };
  }
}
