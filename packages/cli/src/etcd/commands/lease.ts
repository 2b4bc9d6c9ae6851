import { ClientError } from "@raftkv/client";
import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";
import { parseInt64, parseLeaseId } from "../input/number-argument.ts";
import { leaseText } from "../output/simple-format.ts";
import { errorText, type Verb, type VerbCall } from "../verb.ts";
import { badArguments } from "./key-arguments.ts";

const noLease = "etcdserver: requested lease not found";

export const leaseGrantVerb: Verb<object> = {
  name: "grant",
  usage: "<ttl>",
  summary: "create a lease that lasts so many seconds",
  run: async (call) => {
    const [text = ""] = call.args;
    if (call.args.length !== 1) throw badArguments("lease grant command needs TTL argument");
    const ttl = parseInt64(text);
    if (ttl === null) throw badArguments(`bad TTL "${text}", expecting seconds`);
    call.checkFormat("lease-grant");
    const response = await call.withClient((etcd) => orFailure("grant", etcd.leases.grant(Number(ttl))));
    call.show({ kind: "lease-grant", response });
  },
};

export const leaseRevokeVerb: Verb<object> = {
  name: "revoke",
  usage: "<id>",
  summary: "end a lease, and delete its keys",
  run: async (call) => {
    const id = readLeaseId(call, "lease revoke command needs 1 argument");
    call.checkFormat("lease-revoke");
    const header = await call.withClient((etcd) => orFailure("revoke", etcd.leases.revoke(id)));
    call.show({ kind: "lease-revoke", header, id });
  },
};

export const leaseTimeToLiveVerb: Verb<{ readonly keys: boolean }> = {
  name: "timetolive",
  usage: "[options] <id>",
  summary: "print how long a lease still lasts",
  addOptions: (command) => command.option("--keys", "also print its keys", false),
  run: async (call) => {
    const id = readLeaseId(call, "lease timetolive command needs lease ID as argument");
    call.checkFormat("lease-time-to-live");
    const response = await call.withClient((etcd) => etcd.leases.timeToLive(id, call.options));
    call.show({ kind: "lease-time-to-live", response, keysAsked: call.options.keys });
  },
};

export const leaseListVerb: Verb<object> = {
  name: "list",
  usage: "[options]",
  summary: "print the ids of all leases",
  run: async (call) => {
    call.checkFormat("lease-list");
    call.show({ kind: "lease-list", response: await call.withClient((etcd) => etcd.leases.list()) });
  },
};

export const leaseKeepAliveVerb: Verb<{ readonly once: boolean }> = {
  name: "keep-alive",
  usage: "[options] <id>",
  summary: "keep a lease alive until it ends or this program does",
  addOptions: (command) => command.option("--once", "give it its whole time once, and end", false),
  run: async (call) => {
    const id = readLeaseId(call, "lease keep-alive command needs lease ID as argument");
    call.checkFormat("lease-keep-alive");
    await (call.options.once ? renewOnce(call, id) : keepAlive(call, id));
  },
};

/** Throws ProgramError. */
function readLeaseId<Options extends object>({ args }: VerbCall<Options>, otherwise: string): bigint {
  const [text = ""] = args;
  if (args.length !== 1) throw badArguments(otherwise);
  return parseLeaseId(text);
}

async function orFailure<Result>(verb: string, answer: Promise<Result>): Promise<Result> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    throw new ProgramError(etcdExit.error, `failed to ${verb} lease (${errorText(error)})`, { cause: error });
  }
}

async function renewOnce<Options extends object>(call: VerbCall<Options>, id: bigint): Promise<void> {
  const response = await call.withClient((etcd) => etcd.leases.keepAliveOnce(id));
  if (response.ttl <= 0) throw new ProgramError(etcdExit.badConnection, noLease);
  call.show({ kind: "lease-keep-alive", response });
}

/** Renews it every third of its time. Ends when there is no such lease any more. */
async function keepAlive<Options extends object>(call: VerbCall<Options>, id: bigint): Promise<void> {
  await call.withClient(async (etcd) => {
    for (;;) {
      const response = await etcd.leases.keepAliveOnce(id);
      if (response.ttl <= 0) break;
      call.show({ kind: "lease-keep-alive", response });
      await new Promise((resolve) => setTimeout(resolve, (response.ttl * 1000) / 3));
    }
  });
  call.terminal.writeOut(`lease ${leaseText(id)} expired or revoked.\n`);
}
