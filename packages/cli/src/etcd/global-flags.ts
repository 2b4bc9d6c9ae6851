import { type Command, InvalidArgumentError, Option } from "commander";
import { exitCode } from "../exit-code.ts";
import { ProgramError } from "../terminal.ts";
import { parseDurationMs } from "./duration.ts";

/** The options that stand before or after every command that talks to a cluster, as commander gives them. */
export interface GlobalFlags {
  /** As they were given. */
  readonly endpoints: readonly string[];
  readonly hex: boolean;
  readonly writeOut: string;
  readonly commandTimeout: number;
  readonly dialTimeout: number;
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
  commandTimeout: new Option("--command-timeout <duration>", `time for the whole command, ${durationHelp}`)
    .argParser(parseTimeout)
    .default(5000, "5s"),
  dialTimeout: new Option("--dial-timeout <duration>", `time to connect to a member, ${durationHelp}`)
    .argParser(parseTimeout)
    .default(2000, "2s"),
} satisfies Readonly<Record<GlobalFlag, Option>>;

/** Adds them to the program, with what the environment says. Throws ProgramError. */
export function addGlobalFlags(program: Command, environment: Readonly<Record<string, string | undefined>>): void {
  for (const option of Object.values(flags)) {
    program.addOption(option);
    const name = option.attributeName();
    const given = environment[variableOf(option)];
    if (given === undefined || given === "") continue;
    program.setOptionValueWithSource(name, valueOf(option, given), "env");
  }
}

function variableOf(option: Option): string {
  return `${variablePrefix}${option.name().toUpperCase().replaceAll("-", "_")}`;
}

function valueOf(option: Option, given: string): unknown {
  if (option.isBoolean()) return given === "true" || given === "1";
  try {
    return option.parseArg === undefined ? given : option.parseArg(given, undefined);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new ProgramError(exitCode.usage, `${variableOf(option)}: ${error.message}`, { cause: error });
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

/** For commander: throws InvalidArgumentError. */
function parseTimeout(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null || ms > longestTimeoutMs) throw new InvalidArgumentError(`"${text}" is not ${durationHelp}.`);
  return ms;
}
