import type { LogFields, Logger } from "@raftkv/raft-node";
import type { Life } from "./timeline/life.ts";

export interface CapturedLine {
  readonly timeUs: number;
  readonly node: string;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

/** Older lines are forgotten. */
const linesMax = 10_000;

/** The lines of one machine, over all lives of its process. */
export class CapturedLog {
  readonly #lines: CapturedLine[] = [];

  get lines(): readonly CapturedLine[] {
    return this.#lines;
  }

  add(line: CapturedLine): void {
    if (this.#lines.length >= 2 * linesMax) this.#lines.splice(0, linesMax);
    this.#lines.push(line);
  }
}

/** The Logger port of one life of a process. What it says is part of the trace, so it must be the same in two equal runs. */
export class CapturingLogger implements Logger {
  readonly #life: Life;
  readonly #log: CapturedLog;

  constructor(life: Life, log: CapturedLog) {
    this.#life = life;
    this.#log = log;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#add("debug", message, fields);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#add("info", message, fields);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#add("warn", message, fields);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#add("error", message, fields);
  }

  #add(level: CapturedLine["level"], message: string, fields: LogFields): void {
    if (this.#life.isOver) return;
    const { nowUs, trace } = this.#life.timeline;
    this.#log.add({ timeUs: nowUs, node: this.#life.name, level, message, fields });
    trace.addText(message);
  }
}
