import { type Command, Option } from "commander";
import { ProgramError } from "../terminal.ts";
import { parseDurationMs } from "./duration.ts";
import { etcdExit } from "./exit-status.ts";

/** The options that stand before or after every command that talks to a cluster, as commander gives them. */
export interface GlobalFlags {
  /** As they were given. */
  readonly endpoints: readonly string[];
  readonly hex: boolean;
  readonly writeOut: string;
  /** A duration; see `readTimeoutMs`. */
  readonly commandTimeout: string;
  readonly dialTimeout: string;
}

export type GlobalFlag = keyof GlobalFlags;

/** Those of etcd's verbs. */
export const allGlobalFlags: readonly GlobalFlag[] = ["endpoints", "hex", "writeOut", "commandTimeout", "dialTimeout"];

/** Each flag may also stand in a variable: `--write-out` in RAFTKV_WRITE_OUT. A flag that is given wins. */
const variablePrefix = "RAFTKV_";
const longestTimeoutMs = 2 ** 31 - 1;
const durationHelp = "a duration like 5s or 500ms";

const flags = {
  endpoints: new Option("--endpoints <list>", "addresses of members, host:port or http://host:port, with commas between them")
    .argParser((text) => text.split(","))
    .default(["127.0.0.1:2379"], "127.0.0.1:2379"),
  hex: new Option("--hex", "print keys and values as hex; for kv also read them as hex").default(false),
  writeOut: new Option("-w, --write-out <format>", "how the answer is printed: simple, fields, json or table").default("simple"),
  commandTimeout: new Option("--command-timeout <duration>", `time for the whole command, ${durationHelp}`).default("5s"),
  dialTimeout: new Option("--dial-timeout <duration>", `time to connect to a member, ${durationHelp}`).default("2s"),
} satisfies Readonly<Record<GlobalFlag, Option>>;

/** Adds them to the program, with what the environment says. */
export function addGlobalFlags(program: Command, environment: Readonly<Record<string, string | undefined>>): void {
  for (const option of Object.values(flags)) {
    program.addOption(option);
    const given = environment[`${variablePrefix}${option.name().toUpperCase().replaceAll("-", "_")}`];
    if (given === undefined || given === "") continue;
    const value = option.isBoolean() ? given === "true" || given === "1" : (option.parseArg?.(given, undefined) ?? given);
    program.setOptionValueWithSource(option.attributeName(), value, "env");
  }
}

/** Those of the flags that a command knows, for its help. */
export function globalOptions(program: Command, known: readonly GlobalFlag[]): Option[] {
  return program.options.filter((option) => known.some((name) => name === option.attributeName()));
}

/** Flags that were given on the command line though the command knows nothing to do with them. */
export function strayFlags(program: Command, known: readonly GlobalFlag[]): readonly string[] {
  return Object.values(flags)
    .filter((option) => program.getOptionValueSource(option.attributeName()) === "cli")
    .filter((option) => !known.some((name) => name === option.attributeName()))
    .map((option) => `--${option.name()}`);
}

/** Throws ProgramError. */
export function readTimeoutMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null || ms > longestTimeoutMs) throw new ProgramError(etcdExit.error, `"${text}" is not ${durationHelp}`);
  return ms;
}
