export { NodeClock } from "./node-clock.ts";
export { NodeDisk } from "./node-disk.ts";
export { NodeRandom } from "./node-random.ts";
export { type LogLevel, PinoLogger, type PinoLoggerOptions } from "./pino-logger.ts";
