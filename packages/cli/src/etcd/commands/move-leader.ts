import { parseMemberId } from "../input/number-argument.ts";
import type { Verb } from "../verb.ts";
import { badArguments } from "./key-arguments.ts";
import { askEach } from "./member-endpoints.ts";

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
