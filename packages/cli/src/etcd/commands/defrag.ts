import { etcdExit } from "../exit-status.ts";
import type { Verb, VerbCall } from "../verb.ts";
import { addClusterOption, askEach, type ClusterOption, chosenEndpoints } from "./member-endpoints.ts";

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
