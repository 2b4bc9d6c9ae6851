import type { LogFields, Logger } from "./ports.ts";

interface Line {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/**
 * Keeps lines until they are flushed. To write a line takes about as long as a vote takes to travel, and the turns of an election have
 * several: they are written when what others wait for has left.
 */
export class DeferredLogger implements Logger {
  private readonly logger: Logger;
  private lines: Line[] = [];

  constructor(logger: Logger) {
    this.logger = logger;
  }

  debug(message: string, fields?: LogFields): void {
    this.lines.push({ level: "debug", message, fields });
  }

  info(message: string, fields?: LogFields): void {
    this.lines.push({ level: "info", message, fields });
  }

  warn(message: string, fields?: LogFields): void {
    this.lines.push({ level: "warn", message, fields });
  }

  error(message: string, fields?: LogFields): void {
    this.lines.push({ level: "error", message, fields });
  }

  get isEmpty(): boolean {
    return this.lines.length === 0;
  }

  /** Writes what was kept, in order. */
  flush(): void {
    const { lines } = this;
    this.lines = [];
    for (const { level, message, fields } of lines) this.logger[level](message, fields);
  }
}
