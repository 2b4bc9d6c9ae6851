import type { Verb } from "../verb.ts";

export const memberListVerb: Verb<object> = {
  name: "list",
  usage: "[options]",
  summary: "print the members of the cluster",
  run: async (call) => {
    call.checkFormat("member-list");
    call.show({ kind: "member-list", response: await call.withClient((etcd) => etcd.members()) });
  },
};
