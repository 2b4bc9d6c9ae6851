import { MessageChannel, type MessagePort } from "node:worker_threads";
import { connectTcp, SystemClock, SystemRandom } from "@raftkv/raft-rpc";
import { type ClientSettings, checkTimeout } from "./client-options.ts";
import { defaultTarget, readEndpointList } from "./endpoint-list.ts";
import { RaftKVClient } from "./raftkv-client.ts";

/** What can be chosen for a client on real sockets. */
export interface NodeClientSettings extends ClientSettings {
  /** Most time for one connection to be made, in ms; what is left of the call's time is another limit. Default: only that. */
  readonly connectTimeoutMs?: number;
}

/** Names the endpoints of clients that are not told any: `raftkv://a:2379,b:2379`, with or without the scheme. */
export const endpointsVariable = "RAFTKV_ENDPOINTS";

/**
 * Connects to a cluster: resolves when a member has answered. Without a target the environment variable RAFTKV_ENDPOINTS is read, and without
 * that 127.0.0.1:2379 is asked. Rejects with ClientError ERR_TIMEOUT if nobody answers in time, and RangeError if an endpoint or a number is
 * wrong.
 *
 * ```ts
 * await using kv = await connect("raftkv://10.0.0.1,10.0.0.2,10.0.0.3");
 * await kv.update("hello", "world");
 * ```
 */
export async function connect(
  target: string | readonly string[] = process.env[endpointsVariable] || defaultTarget,
  settings: Omit<NodeClientSettings, "endpoints"> = {},
): Promise<RaftKVClient> {
  const client = connectClient({ ...settings, endpoints: readEndpointList(target) });
  try {
    await client.etcd.members({ consistency: "serializable" });
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

/**
 * A client on real sockets, time and chance. Returns at once; the first call connects. Throws RangeError if an endpoint or a number is wrong.
 *
 * ```ts
 * const client = connectClient({ endpoints: ["127.0.0.1:2379"] });
 * await client.update("hello", "world");
 * client.close();
 * ```
 */
export function connectClient({ connectTimeoutMs, ...settings }: NodeClientSettings): RaftKVClient {
  if (connectTimeoutMs !== undefined) checkTimeout(connectTimeoutMs);
  return new RaftKVClient({
    ...settings,
    connect: (endpoint, timeoutMs) => connectTcp(endpoint, Math.min(timeoutMs, connectTimeoutMs ?? timeoutMs)),
    clock: new SystemClock(),
    random: new SystemRandom(),
    onBusy: processHold(),
  });
}

/** Keeps the process alive while it is told true: timers of the clock do not, and between two attempts there is nothing else. */
function processHold(): (busy: boolean) => void {
  let hold: MessagePort | null = null;
  return (busy) => {
    hold?.close();
    hold = busy ? new MessageChannel().port1 : null;
    hold?.ref();
  };
}
