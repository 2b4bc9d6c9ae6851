import { operation, type TxnRequest } from "@raftkv/client";
import { Command } from "commander";
import { ProgramError } from "../../terminal.ts";
import { addDelOptions, type DelOptions, readDel } from "../commands/del.ts";
import { addGetOptions, type GetOptions, readGet } from "../commands/get.ts";
import { addPutOptions, type PutOptions, readPut } from "../commands/put.ts";
import { etcdExit } from "../exit-status.ts";
import { splitArguments } from "../input/argument-line.ts";
import { readLineArguments } from "../input/line-arguments.ts";

type RequestOp = TxnRequest["success"][number];

/** Reads `get …`, `put …` or `del …` with the options of those verbs. Throws ProgramError. */
export function parseOperation(line: string): RequestOp {
  const [verb, ...rest] = splitArguments(line);
  if (rest.length === 0) throw new ProgramError(etcdExit.invalidInput, `invalid txn compare request: ${line}`);
  switch (verb) {
    case "get": {
      const { args, options } = readLineArguments<GetOptions>(addGetOptions(new Command()), rest, etcdExit.invalidInput);
      const { keys, settings } = readGet(args, options);
      return operation.range(keys, settings).request;
    }
    case "put": {
      const { args, options } = readLineArguments<PutOptions>(addPutOptions(new Command()), rest, etcdExit.invalidInput);
      const { key, value, settings } = readPut(args, options);
      return operation.put(key, value, settings).request;
    }
    case "del": {
      const { args, options } = readLineArguments<DelOptions>(addDelOptions(new Command()), rest, etcdExit.invalidInput);
      const { keys, settings } = readDel(args, options);
      return operation.delete(keys, settings).request;
    }
    default:
      throw new ProgramError(etcdExit.invalidInput, `invalid txn request: ${line}`);
  }
}
