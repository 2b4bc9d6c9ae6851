import type { Ports } from "@raftkv/raft-node";
import { NodeClock } from "./node-clock.ts";
import { NodeDisk } from "./node-disk.ts";
import { NodeNetwork } from "./node-network.ts";
import { NodeRandom } from "./node-random.ts";
import { type LogLevel, PinoLogger } from "./pino-logger.ts";

export interface NodePortsOptions {
  readonly logLevel: LogLevel;
}

/** All ports of this process. */
export function nodePorts(options: NodePortsOptions): Ports {
  return {
    clock: new NodeClock(),
    random: new NodeRandom(),
    disk: new NodeDisk(),
    network: new NodeNetwork(),
    logger: new PinoLogger({ level: options.logLevel }),
  };
}
