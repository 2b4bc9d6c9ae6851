import { ClientError, type EtcdClient } from "@raftkv/client";
import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";
import type { EndpointHealth, OfEndpoint } from "../output/answer.ts";
import { healthLine } from "../output/row-cells.ts";
import { errorText, type Verb } from "../verb.ts";
import { parseCount } from "./get.ts";
import { addClusterOption, askEach, type ClusterOption, chosenEndpoints } from "./member-endpoints.ts";

/** What etcd's tools read to see whether a member can. */
const healthKey = "health";

export const endpointStatusVerb: Verb<ClusterOption> = {
  name: "status",
  usage: "[options]",
  summary: "print how the members at the endpoints are",
  addOptions: addClusterOption,
  run: async (call) => {
    call.checkFormat("endpoint-status");
    const { answers, failures } = await call.withClient(async (etcd) =>
      askEach(etcd, await chosenEndpoints(etcd, call), (member) => member.status()),
    );
    for (const { endpoint, reason } of failures) call.terminal.writeErr(`Failed to get the status of endpoint ${endpoint} (${reason})\n`);
    call.show({ kind: "endpoint-status", endpoints: answers });
    return failures.length === 0 ? etcdExit.ok : etcdExit.error;
  },
};

export const endpointHashVerb: Verb<ClusterOption & { readonly rev: number }> = {
  name: "hashkv",
  usage: "[options]",
  summary: "print a hash of all keys of each member; equal on sound members",
  addOptions: (command) => addClusterOption(command).option("--rev <revision>", "of all keys up to this revision; 0: now", parseCount, 0),
  run: async (call) => {
    call.checkFormat("endpoint-hash");
    const { answers, failures } = await call.withClient(async (etcd) =>
      askEach(etcd, await chosenEndpoints(etcd, call), (member) => member.hashKv(call.options.rev)),
    );
    for (const { endpoint, reason } of failures) call.terminal.writeErr(`Failed to get the hash of endpoint ${endpoint} (${reason})\n`);
    if (answers.length > 0) call.show({ kind: "endpoint-hash", endpoints: answers });
    const [first] = failures;
    if (first !== undefined) throw new ProgramError(etcdExit.error, first.reason);
  },
};

export const endpointHealthVerb: Verb<ClusterOption> = {
  name: "health",
  usage: "[options]",
  summary: "print whether the members at the endpoints can serve clients",
  addOptions: addClusterOption,
  run: async (call) => {
    call.checkFormat("endpoint-health");
    const endpoints = await call.withClient(async (etcd) => chosenEndpoints(etcd, call));
    const health = await Promise.all(endpoints.map((endpoint) => healthOf(endpoint, (run) => call.withClientOf([endpoint], run))));
    // It is about endpoints that may be ill: sentences for people, whom no script reads.
    if (call.output.format === "simple") for (const one of health) call.terminal.writeErr(`${healthLine(one)}\n`);
    else call.show({ kind: "endpoint-health", endpoints: health });
    if (health.some(({ value }) => !value.healthy)) throw new ProgramError(etcdExit.error, "unhealthy cluster");
  },
};

type WithClient = <Result>(run: (etcd: EtcdClient) => Promise<Result>) => Promise<Result>;

/** A linearizable read needs a leader and a majority. */
async function healthOf(endpoint: string, withClient: WithClient): Promise<OfEndpoint<EndpointHealth>> {
  const beganMs = performance.now();
  const value = (error: string): OfEndpoint<EndpointHealth> => ({
    endpoint,
    value: { healthy: error === "", tookMs: performance.now() - beganMs, error },
  });
  try {
    await withClient((etcd) => etcd.get(healthKey));
    return value("");
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return value(errorText(error));
  }
}
