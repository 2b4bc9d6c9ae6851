import type { Clock, LogFields, Logger, Timer } from "./ports.ts";

interface Line {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields | undefined;
  readonly atMs: number;
}

/** How long a line waits: longer than an election among members that can hear each other. */
const KEPT_MS = 20;

/**
 * Writes lines a little later, with the time at which they were said. To write a line takes about as long as a vote takes to travel, and
 * an election has several at each member: they are written when it is over. An error is written at once, with what was kept before it.
 */
export class DeferredLogger implements Logger {
  private readonly logger: Logger;
  private readonly clock: Clock;
  private lines: Line[] = [];
  private timer: Timer | null = null;

  constructor(logger: Logger, clock: Clock) {
    this.logger = logger;
    this.clock = clock;
  }

  debug(message: string, fields?: LogFields): void {
    this.keep("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.keep("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.keep("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.keep("error", message, fields);
    this.flush();
  }

  /** Writes what is kept now, in order. */
  flush(): void {
    const { lines } = this;
    this.lines = [];
    this.timer?.cancel();
    this.timer = null;
    for (const { level, message, fields, atMs } of lines) this.logger[level](message, fields, atMs);
  }

  private keep(level: keyof Logger, message: string, fields: LogFields | undefined): void {
    this.lines.push({ level, message, fields, atMs: this.clock.wallMs() });
    this.timer ??= this.clock.setTimer(KEPT_MS, () => this.flush());
  }
}
