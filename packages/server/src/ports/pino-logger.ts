import type { LogFields, Logger } from "@raftkv/raft-node";
import { type DestinationStream, destination, type Logger as Pino, pino } from "pino";

/** etcd's names of levels. A `panic` or `fatal` logger is silent: neither is a level that we log at. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "panic" | "fatal";

export interface PinoLoggerOptions {
  /** Lines below it are left out. */
  readonly level: LogLevel;
  /** Default: stderr, synchronously, so that the last line before an exit is not lost. */
  readonly destination?: DestinationStream;
}

/** Names that every line has already. */
const ownNames: ReadonlySet<string> = new Set(["level", "ts", "msg"]);
/** Deeper values are left out. */
const depthMax = 4;
const itemsMax = 100;

/** JSON lines with etcd's names: `{"level":"info","ts":"2026-01-01T00:00:00.000Z","member":"8e9e05c52164694d","msg":"Became leader"}`. */
export class PinoLogger implements Logger {
  readonly #pino: Pino;
  /** When the line that is being written was true; null for now. */
  #atMs: number | null = null;

  constructor(options: PinoLoggerOptions) {
    const level = options.level === "panic" ? "fatal" : options.level;
    this.#pino = pino(
      {
        level,
        base: null,
        messageKey: "msg",
        timestamp: () => `,"ts":"${new Date(this.#atMs ?? Date.now()).toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
      },
      options.destination ?? destination({ fd: 2, sync: true }),
    );
  }

  debug(message: string, fields?: LogFields, atMs?: number): void {
    this.#write("debug", message, fields, atMs);
  }

  info(message: string, fields?: LogFields, atMs?: number): void {
    this.#write("info", message, fields, atMs);
  }

  warn(message: string, fields?: LogFields, atMs?: number): void {
    this.#write("warn", message, fields, atMs);
  }

  error(message: string, fields?: LogFields, atMs?: number): void {
    this.#write("error", message, fields, atMs);
  }

  #write(level: keyof Logger, message: string, fields: LogFields | undefined, atMs: number | null = null): void {
    if (!this.#pino.isLevelEnabled(level)) return;
    this.#atMs = atMs;
    this.#pino[level](plain(fields), message);
    this.#atMs = null;
  }
}

function plain(fields: LogFields = {}): Record<string, unknown> {
  const named = Object.entries(fields).map(([name, value]) => [ownNames.has(name) ? `${name}_` : name, plainValue(value, 1)] as const);
  return Object.fromEntries(named);
}

/** Ids as hexadecimal digits, as etcd writes them; errors as their message; bytes as hexadecimal digits; the rest as JSON has it. */
function plainValue(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return value.toString(16);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return value.message;
  if (value instanceof Uint8Array) return Buffer.from(value.subarray(0, itemsMax)).toString("hex");
  if (depth > depthMax) return "…";
  if (Array.isArray(value)) return value.slice(0, itemsMax).map((item) => plainValue(item, depth + 1));
  if (value instanceof Map || value instanceof Set) return plainValue([...value], depth);
  if (value instanceof Date) return value.toISOString();
  const entries = Object.entries(value).slice(0, itemsMax);
  return Object.fromEntries(entries.map(([name, item]) => [name, plainValue(item, depth + 1)] as const));
}
