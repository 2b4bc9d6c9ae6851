import type { TxnRequest } from "@raftkv/client";
import { ProgramError, type Terminal } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";
import { LineReader } from "../input/line-reader.ts";
import { parseCompare } from "../txn/compare-line.ts";
import { parseOperation } from "../txn/operation-line.ts";
import type { Verb } from "../verb.ts";
import { badArguments } from "./key-arguments.ts";

export const txnVerb: Verb<{ readonly interactive: boolean }> = {
  name: "txn",
  usage: "[options]",
  summary: "run a transaction that stands in standard input",
  addOptions: (command) =>
    command
      .option("-i, --interactive", "ask for conditions and operations", false)
      .addHelpText(
        "after",
        [
          "",
          "Standard input has conditions, operations for the case that all of them hold, and operations for the other case; an empty line",
          'ends each part. Conditions: value("key") = "text", ver("key") > "3", also create, mod and lease, with = != < >. Operations: get,',
          "put and del with their options.",
        ].join("\n"),
      ),
  run: async (call) => {
    if (call.args.length > 0) throw badArguments("txn command does not accept argument");
    call.checkFormat("txn");
    const request = await readTxn(call.terminal, call.options.interactive);
    call.show({ kind: "txn", response: await call.withClient((etcd) => etcd.transact(request)) });
  },
};

/** Throws ProgramError. */
async function readTxn(terminal: Terminal, interactive: boolean): Promise<TxnRequest> {
  const lines = new LineReader(terminal.input);
  const part = async <Item>(prompt: string, parse: (line: string) => Item): Promise<readonly Item[]> => {
    if (interactive) terminal.writeOut(`${prompt}:\n`);
    const items: Item[] = [];
    for (;;) {
      const line = await lines.next();
      if (line === null) throw new ProgramError(etcdExit.invalidInput, "EOF: an empty line has to end each of the three parts");
      if (line === "") return items;
      items.push(parse(line));
    }
  };
  return {
    compare: await part("compares", parseCompare),
    success: await part("success requests (get, put, del)", parseOperation),
    failure: await part("failure requests (get, put, del)", parseOperation),
  };
}
