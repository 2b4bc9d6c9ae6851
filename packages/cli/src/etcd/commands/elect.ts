import type { RangeResponse } from "@raftkv/client";
import type { Verb, VerbCall } from "../verb.ts";
import { badArguments } from "./key-arguments.ts";
import { untilLost, untilStopped } from "./until-stopped.ts";

/** Seconds: etcdctl's. */
const candidateTtl = 60;

export const electVerb: Verb<{ readonly listen: boolean }> = {
  name: "elect",
  usage: "[options] <name> [proposal]",
  summary: "stand in an election, and lead until this program is stopped; or watch who leads",
  addOptions: (command) => command.option("-l, --listen", "print who leads, and each that follows", false),
  run: async (call) => {
    const [name, proposal] = call.args;
    if (name === undefined || call.args.length > 2) {
      throw badArguments("elect takes one election name argument and an optional proposal argument");
    }
    if (call.options.listen && proposal !== undefined) throw badArguments("proposal given but -l is set");
    call.checkFormat("range");
    if (call.options.listen) await observe(call, name);
    else if (proposal === undefined) throw badArguments("no proposal argument but -l not set");
    else await campaign(call, name, proposal);
  },
};

async function observe<Options extends object>(call: VerbCall<Options>, name: string): Promise<void> {
  await call.withClient((etcd) =>
    untilStopped(call.terminal, async (signal) => {
      for await (const leader of etcd.election(name).observe({ signal })) {
        // A leader's value is told as it was announced, at the revision of that.
        const header = { clusterId: 0n, memberId: 0n, revision: leader.modRevision, raftTerm: 0 };
        const response: RangeResponse = { header, kvs: [leader], more: false, count: 0 };
        call.show({ kind: "range", response });
      }
    }),
  );
}

async function campaign<Options extends object>(call: VerbCall<Options>, name: string, proposal: string): Promise<void> {
  await call.withClient((etcd) =>
    untilStopped(call.terminal, async (signal) => {
      await using leadership = await etcd.election(name).campaign(proposal, { ttl: candidateTtl, signal });
      call.show({ kind: "range", response: await etcd.range(leadership.key) });
      await untilLost(leadership.signal, signal);
    }),
  );
}
