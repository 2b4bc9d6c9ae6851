import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";
import type { Verb } from "../verb.ts";
import { parseCount } from "./get.ts";
import { badArguments } from "./key-arguments.ts";
import { untilLost, untilStopped } from "./until-stopped.ts";

export const lockVerb: Verb<{ readonly ttl: number }> = {
  name: "lock",
  usage: "[options] <name> [command arguments...]",
  summary: "hold a lock until this program is stopped, or while a command runs",
  addOptions: (command) =>
    command
      .option("--ttl <seconds>", "how long others wait after this program has died", parseCount, 10)
      .addHelpText("after", "\nThe command gets ETCD_LOCK_KEY and ETCD_LOCK_REV, which grows from owner to owner."),
  run: async (call) => {
    const [name, ...command] = call.args;
    if (name === undefined) throw badArguments("lock takes a lock name argument and an optional command to execute");
    call.checkFormat("range");
    const ttl = Math.max(call.options.ttl, 1);
    await call.withClient((etcd) =>
      untilStopped(call.terminal, async (stopped) => {
        await using lock = await etcd.lock(name, { ttl, signal: stopped });
        if (command.length > 0) {
          const key = Buffer.from(lock.key).toString();
          const failure = await call.terminal.run(command, { ETCD_LOCK_KEY: key, ETCD_LOCK_REV: String(lock.fencingToken) });
          if (failure !== null) throw new ProgramError(etcdExit.error, failure);
          return;
        }
        call.show({ kind: "range", response: await etcd.range(lock.key) });
        await untilLost(lock.signal, stopped);
      }),
    );
  },
};
