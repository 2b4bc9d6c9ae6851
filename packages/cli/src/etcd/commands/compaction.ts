import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";
import { parseInt64 } from "../input/number-argument.ts";
import type { Verb } from "../verb.ts";
import { badArguments } from "./key-arguments.ts";

export const compactionVerb: Verb<{ readonly physical: boolean }> = {
  name: "compaction",
  alias: "compact",
  usage: "[options] <revision>",
  summary: "forget what was overwritten or deleted before a revision",
  addOptions: (command) => command.option("--physical", "wait until the member that is asked has freed the space", false),
  run: async (call) => {
    const [text = ""] = call.args;
    if (call.args.length !== 1) throw badArguments("compaction command needs 1 argument");
    const revision = Number(parseInt64(text) ?? Number.NaN);
    if (!Number.isSafeInteger(revision)) throw new ProgramError(etcdExit.error, `"${text}" is not a revision`);
    await call.withClient((etcd) => etcd.compact(revision, call.options));
    call.terminal.writeOut(`compacted revision ${revision}\n`);
  },
};
