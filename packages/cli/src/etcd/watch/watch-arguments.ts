import type { KeyRange } from "@raftkv/client";
import type { Command } from "commander";
import { parseCount } from "../commands/get.ts";
import { badArguments } from "../commands/key-arguments.ts";

export interface WatchOptions {
  readonly interactive?: boolean;
  readonly prefix: boolean;
  readonly rev: number;
  readonly prevKv: boolean;
}

/** What to watch, and the command to run for each event. */
export interface WatchRequest {
  readonly keys: KeyRange;
  readonly startRevision: number;
  readonly prevKv: boolean;
  /** Empty: none. */
  readonly command: readonly string[];
}

/** Also of the lines of `watch -i`. */
export function addWatchOptions(command: Command): Command {
  return command
    .option("--prefix", "keys that begin with <key>", false)
    .option("--rev <revision>", "from this revision on; 0: from now on", parseCount, 0)
    .option("--prev-kv", "print the key as it was before each event", false);
}

interface WatchWords {
  /** All arguments. */
  readonly args: readonly string[];
  /** Those behind `--`; null without it. */
  readonly afterDashes: readonly string[] | null;
}

/** What is watched if no key is given: RAFTKV_WATCH_KEY, and RAFTKV_WATCH_RANGE_END. */
export interface WatchDefaults {
  readonly key: string | undefined;
  readonly rangeEnd: string | undefined;
}

/** `key [range_end] [-- command…]`. Throws ProgramError. */
export function readWatch({ args, afterDashes }: WatchWords, options: WatchOptions, defaults: WatchDefaults): WatchRequest {
  const command = afterDashes ?? [];
  if (afterDashes?.length === 0) throw badArguments("bad number of arguments (found separator --, but no commands)");
  const given = args.slice(0, args.length - command.length);
  const [key, end] = given.length > 0 ? given : [defaults.key, defaults.rangeEnd];
  if (key === undefined) throw badArguments("bad number of arguments: watch needs a key");
  if (options.prefix && end !== undefined) throw badArguments("`range_end` and `--prefix` are mutually exclusive");
  const { rev: startRevision, prevKv } = options;
  return { keys: watchedKeys(key, end, options.prefix), startRevision, prevKv, command };
}

function watchedKeys(key: string, end: string | undefined, prefix: boolean): KeyRange {
  if (prefix) return { prefix: key };
  return end === undefined || end === "" ? key : { from: key, to: end };
}
