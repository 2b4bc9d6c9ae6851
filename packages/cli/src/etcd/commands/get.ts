import type { KeyRange, RangeOptions as RangeCall, SortOrder, SortTarget } from "@raftkv/client";
import { type Command, InvalidArgumentError } from "commander";
import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";
import { parseInt64 } from "../input/number-argument.ts";
import type { Verb } from "../verb.ts";
import { badArguments, type RangeOptions, readKeyRange } from "./key-arguments.ts";

export interface GetOptions extends RangeOptions {
  readonly consistency: string;
  readonly order: string;
  readonly sortBy: string;
  readonly limit: number;
  readonly rev: number;
  readonly keysOnly: boolean;
  readonly printValueOnly: boolean;
}

/** A get as it was given, alone or in a transaction. */
export interface GetRequest {
  readonly keys: KeyRange;
  readonly settings: RangeCall;
}

export const getVerb: Verb<GetOptions> = {
  name: "get",
  usage: "[options] <key> [range_end]",
  summary: "print a key, or the keys of a range",
  addOptions: addGetOptions,
  run: async (call) => {
    const { keys, settings } = readGet(call.args, call.options);
    const { printValueOnly: valuesOnly } = call.options;
    if (valuesOnly && call.output.format !== "simple") throw badArguments("print-value-only is only for `--write-out=simple`");
    call.checkFormat("range");
    const response = await call.withClient((etcd) => etcd.range(keys, settings));
    call.show({ kind: "range", response, valuesOnly });
  },
};

export function addGetOptions(command: Command): Command {
  return command
    .option("--consistency <l|s>", "l: linearizable, s: serializable, what the asked member has", "l")
    .option("--order <order>", "ASCEND or DESCEND", "")
    .option("--sort-by <target>", "CREATE, KEY, MODIFY, VALUE or VERSION", "")
    .option("--limit <count>", "most keys; 0: all", parseCount, 0)
    .option("--prefix", "keys that begin with <key>", false)
    .option("--from-key", "keys from <key> on", false)
    .option("--rev <revision>", "as it was at this revision; 0: now", parseCount, 0)
    .option("--keys-only", "leave values out", false)
    .option("--print-value-only", "only values, where the format is simple", false);
}

/** Throws ProgramError. */
export function readGet(args: readonly string[], options: GetOptions): GetRequest {
  if (args.length === 0) throw badArguments("get command needs one argument as key and an optional argument as range_end");
  const keys = readKeyRange(args, options);
  const sort = readSort(options);
  return {
    keys,
    settings: {
      consistency: readConsistency(options.consistency),
      limit: options.limit,
      revision: options.rev,
      keysOnly: options.keysOnly,
      ...(sort === null ? {} : { sort }),
    },
  };
}

function readConsistency(text: string): "linearizable" | "serializable" {
  if (text === "l") return "linearizable";
  if (text === "s") return "serializable";
  throw new ProgramError(etcdExit.badFeature, `unknown consistency flag "${text}"`);
}

const orders: Readonly<Record<string, SortOrder["order"]>> = { ASCEND: "ascending", DESCEND: "descending" };
const targets: Readonly<Record<string, SortTarget>> = {
  CREATE: "createRevision",
  KEY: "key",
  MODIFY: "modRevision",
  VALUE: "value",
  VERSION: "version",
};

function readSort({ order, sortBy }: GetOptions): SortOrder | null {
  const direction = orders[order.toUpperCase()];
  if (order !== "" && direction === undefined) throw new ProgramError(etcdExit.badFeature, `bad sort order ${order}`);
  const by = targets[sortBy.toUpperCase()];
  if (sortBy !== "" && by === undefined) throw new ProgramError(etcdExit.badFeature, `bad sort target ${sortBy}`);
  if (direction === undefined && by === undefined) return null;
  return { by: by ?? "key", ...(direction === undefined ? {} : { order: direction }) };
}

/** For commander: throws InvalidArgumentError. */
export function parseCount(text: string): number {
  const value = parseInt64(text);
  if (value === null || !Number.isSafeInteger(Number(value))) throw new InvalidArgumentError(`"${text}" is not a whole number.`);
  return Number(value);
}
