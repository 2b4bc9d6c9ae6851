import type { DeleteOptions as DeleteCall, KeyRange } from "@raftkv/client";
import type { Command } from "commander";
import type { Verb } from "../verb.ts";
import { badArguments, type RangeOptions, readKeyRange } from "./key-arguments.ts";

export interface DelOptions extends RangeOptions {
  readonly prevKv: boolean;
}

/** A deletion as it was given, alone or in a transaction. */
export interface DelRequest {
  readonly keys: KeyRange;
  readonly settings: DeleteCall;
}

export const delVerb: Verb<DelOptions> = {
  name: "del",
  usage: "[options] <key> [range_end]",
  summary: "delete a key, or the keys of a range",
  addOptions: addDelOptions,
  run: async (call) => {
    const { keys, settings } = readDel(call.args, call.options);
    call.checkFormat("delete");
    const response = await call.withClient((etcd) => etcd.delete(keys, settings));
    call.show({ kind: "delete", response });
  },
};

export function addDelOptions(command: Command): Command {
  return command
    .option("--prefix", "keys that begin with <key>", false)
    .option("--from-key", "keys from <key> on", false)
    .option("--prev-kv", "print the keys as they were before", false);
}

/** Throws ProgramError. */
export function readDel(args: readonly string[], options: DelOptions): DelRequest {
  if (args.length === 0 || args.length > 2) {
    throw badArguments("del command needs one argument as key and an optional argument as range_end");
  }
  return { keys: readKeyRange(args, options), settings: { prevKv: options.prevKv } };
}
