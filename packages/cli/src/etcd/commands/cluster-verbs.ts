import type { Alarm } from "@raftkv/client";
import { etcdExit } from "../exit-status.ts";
import { parseMemberId } from "../input/number-argument.ts";
import type { Verb, VerbCall } from "../verb.ts";
import { addClusterOption } from "./endpoint.ts";
import { badArguments } from "./key-arguments.ts";
import { askEach, type ClusterOption, chosenEndpoints } from "./member-endpoints.ts";

export const memberListVerb: Verb<object> = {
  name: "list",
  usage: "",
  summary: "print the members of the cluster",
  run: async (call) => {
    call.checkFormat("member-list");
    call.show({ kind: "member-list", response: await call.withClient((etcd) => etcd.members()) });
  },
};

export const alarmListVerb: Verb<object> = {
  name: "list",
  usage: "",
  summary: "print what is wrong with members, for which the cluster refuses writes",
  run: async (call) => {
    if (call.args.length > 0) throw badArguments("alarm list command accepts no arguments");
    call.checkFormat("alarms");
    call.show({ kind: "alarms", response: await call.withClient((etcd) => etcd.alarms()) });
  },
};

export const alarmDisarmVerb: Verb<object> = {
  name: "disarm",
  usage: "",
  summary: "end all alarms, and print them",
  run: async (call) => {
    if (call.args.length > 0) throw badArguments("alarm disarm command accepts no arguments");
    call.checkFormat("alarms");
    const response = await call.withClient(async (etcd) => {
      const raised = await etcd.alarms();
      const ended: Alarm[] = [];
      for (const alarm of raised.alarms) ended.push(...(await etcd.disarm(alarm)).alarms);
      return { header: raised.header, alarms: ended };
    });
    call.show({ kind: "alarms", response });
  },
};

export const defragVerb: Verb<ClusterOption> = {
  name: "defrag",
  usage: "[options]",
  summary: "give space back that is free in the files of the members at the endpoints",
  addOptions: addClusterOption,
  run: async (call) => {
    const failed = await call.withClient(async (etcd) => {
      let failures = 0;
      // One after the other: a member may be busy with it.
      for (const endpoint of await chosenEndpoints(etcd, call)) failures += await defragment(endpoint, call);
      return failures;
    });
    return failed === 0 ? etcdExit.ok : etcdExit.error;
  },
};

/** Resolves to the number of failures. */
export async function defragment<Options extends object>(endpoint: string, call: VerbCall<Options>): Promise<number> {
  const { failures } = await call.withClientOf([endpoint], (etcd) => askEach(etcd, [endpoint], (member) => member.defragment()));
  for (const { reason } of failures) call.terminal.writeErr(`Failed to defragment etcd member[${endpoint}] (${reason})\n`);
  if (failures.length === 0) call.terminal.writeOut(`Finished defragmenting etcd member[${endpoint}]\n`);
  return failures.length;
}

export const moveLeaderVerb: Verb<object> = {
  name: "move-leader",
  usage: "<id>",
  summary: "hand leadership over to another member; an endpoint must be the leader's",
  run: async (call) => {
    const [text = ""] = call.args;
    if (call.args.length !== 1) throw badArguments("move-leader command needs 1 argument");
    const to = parseMemberId(text);
    call.checkFormat("move-leader");
    const { endpoints } = call.flags;
    const from = await call.withClient(async (etcd) => {
      const { answers } = await askEach(etcd, endpoints, async (member) => ({ member, status: await member.status() }));
      const leader = answers.find(({ value: { status } }) => status.leader === status.header.memberId);
      if (leader === undefined) throw badArguments(`no leader endpoint given at [${endpoints.join(" ")}]`);
      await leader.value.member.moveLeader(to);
      return leader.value.status.leader;
    });
    call.show({ kind: "move-leader", from, to });
  },
};
