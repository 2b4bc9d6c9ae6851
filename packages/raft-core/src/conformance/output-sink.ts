/** From talkative to silent. At NONE nothing is written at all. */
export const LOG_LEVELS = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL", "NONE"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The level with this name, in capitals or not. */
export function logLevelOf(name: string): LogLevel | undefined {
  return LOG_LEVELS.find((level) => level === name.toUpperCase());
}

/** The output of one directive, to which commands and cores write, so that the lines of a core stand where they came about. */
export class OutputSink {
  level: LogLevel = "DEBUG";
  private written = "";

  get text(): string {
    return this.written;
  }

  get isSilent(): boolean {
    return this.level === "NONE";
  }

  clear(): void {
    this.written = "";
  }

  write(text: string): void {
    if (!this.isSilent) this.written += text;
  }

  /** One line of a core's log. */
  log(level: LogLevel, text: string): void {
    if (LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.level)) this.write(`${level} ${text}\n`);
  }

  /** Moves every line that `block` writes two columns to the right, and ends the last one. */
  indented(block: () => void): void {
    const before = this.written;
    this.written = "";
    try {
      block();
    } finally {
      this.written = before + indent(this.written);
    }
  }
}

function indent(text: string): string {
  if (text === "") return "";
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.map((line) => `  ${line}\n`).join("");
}
