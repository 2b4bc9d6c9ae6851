import { ClientError, type EtcdClient, type MemberClient, readEndpointList } from "@raftkv/client";
import type { Command } from "commander";
import type { OfEndpoint } from "../output/answer.ts";
import { errorText, type VerbCall } from "../verb.ts";

export interface ClusterOption {
  /** All members of the cluster, instead of --endpoints. */
  readonly cluster: boolean;
}

export function addClusterOption(command: Command): Command {
  return command.option("--cluster", "ask all members of the cluster, instead of --endpoints", false);
}

/** Why an endpoint did not answer. */
export interface EndpointFailure {
  readonly endpoint: string;
  readonly reason: string;
}

export interface EndpointAnswers<Value> {
  readonly answers: readonly OfEndpoint<Value>[];
  readonly failures: readonly EndpointFailure[];
}

/** The endpoints as given, or those that the members of the cluster tell clients. Rejects with ClientError. */
export async function chosenEndpoints(etcd: EtcdClient, call: VerbCall<ClusterOption>): Promise<readonly string[]> {
  if (!call.options.cluster) return call.flags.endpoints;
  const { members } = await etcd.members();
  return members.flatMap(({ clientUrls }) => clientUrls);
}

/** Asks all endpoints at the same time. Throws RangeError if one is no address. */
export async function askEach<Value>(
  etcd: EtcdClient,
  endpoints: readonly string[],
  ask: (member: MemberClient) => Promise<Value>,
): Promise<EndpointAnswers<Value>> {
  const answers: OfEndpoint<Value>[] = [];
  const failures: EndpointFailure[] = [];
  const members = readEndpointList(endpoints).map((address) => etcd.member(address));
  const outcomes = await Promise.allSettled(members.map((member) => ask(member)));
  for (const [at, outcome] of outcomes.entries()) {
    const endpoint = endpoints[at] ?? "";
    if (outcome.status === "fulfilled") answers.push({ endpoint, value: outcome.value });
    else if (outcome.reason instanceof ClientError) failures.push({ endpoint, reason: errorText(outcome.reason) });
    else throw outcome.reason;
  }
  return { answers, failures };
}
