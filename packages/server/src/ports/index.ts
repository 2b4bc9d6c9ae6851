export { NodeClock } from "./node-clock.ts";
export { NodeDisk } from "./node-disk.ts";
export { NodeNetwork, socketOf } from "./node-network.ts";
export { type NodePortsOptions, nodePorts } from "./node-ports.ts";
export { NodeRandom } from "./node-random.ts";
export { type LogLevel, PinoLogger, type PinoLoggerOptions } from "./pino-logger.ts";
