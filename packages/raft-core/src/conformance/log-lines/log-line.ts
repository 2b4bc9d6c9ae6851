import type { CoreEvent } from "../../events.ts";
import type { LogLevel } from "../output-sink.ts";

/** One line of the log that the reference writes. */
export interface LogLine {
  readonly level: LogLevel;
  readonly text: string;
}

/** The event, or events, of these types. */
export type EventOf<Type extends CoreEvent["type"]> = Extract<CoreEvent, { readonly type: Type }>;

export function debug(text: string): LogLine {
  return { level: "DEBUG", text };
}

export function info(text: string): LogLine {
  return { level: "INFO", text };
}

export function warn(text: string): LogLine {
  return { level: "WARN", text };
}

export function error(text: string): LogLine {
  return { level: "ERROR", text };
}
