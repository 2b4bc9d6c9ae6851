import type { Bytes, PutOptions as PutCall } from "@raftkv/client";
import type { Command } from "commander";
import { readInput } from "../../value-argument.ts";
import { parseLeaseId } from "../input/number-argument.ts";
import type { Verb } from "../verb.ts";
import { badArguments } from "./key-arguments.ts";

export interface PutOptions {
  readonly lease: string;
  readonly prevKv: boolean;
  readonly ignoreValue: boolean;
  readonly ignoreLease: boolean;
}

/** A put as it was given, alone or in a transaction. */
export interface PutRequest {
  readonly key: string;
  readonly value: Bytes;
  readonly settings: PutCall;
}

export const putVerb: Verb<PutOptions> = {
  name: "put",
  usage: "[options] <key> [value]",
  summary: "write a key, whether it exists or not; the value may come from standard input",
  addOptions: addPutOptions,
  run: async (call) => {
    const [key] = call.args;
    const fromInput = call.args.length === 1 && !call.options.ignoreValue;
    const input = fromInput ? await readInput(call.terminal) : null;
    // Without an input nobody meant an empty value.
    const args = input === null || input.length === 0 ? call.args : [key ?? "", ""];
    const request = readPut(args, call.options);
    call.checkFormat("put");
    const response = await call.withClient((etcd) => etcd.put(request.key, input ?? request.value, request.settings));
    call.show({ kind: "put", response });
  },
};

export function addPutOptions(command: Command): Command {
  return command
    .option("--lease <id>", "the key goes when this lease does; hexadecimal", "0")
    .option("--prev-kv", "print the key as it was before", false)
    .option("--ignore-value", "keep the value, change only the lease", false)
    .option("--ignore-lease", "keep the lease, change only the value", false);
}

/** Throws ProgramError. */
export function readPut(args: readonly string[], options: PutOptions): PutRequest {
  const { prevKv, ignoreValue, ignoreLease } = options;
  const lease = parseLeaseId(options.lease);
  const [key, value] = args;
  if (ignoreValue && args.length > 1) throw badArguments("put command needs only 1 argument when 'ignore-value' is set");
  if (key === undefined || (value === undefined && !ignoreValue)) {
    throw badArguments("put command needs 1 argument and input from stdin or 2 arguments");
  }
  return { key, value: value ?? "", settings: { lease, prevKv, ignoreValue, ignoreLease } };
}
