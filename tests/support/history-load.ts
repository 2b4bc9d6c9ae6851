import { RpcError } from "@raftkv/raft-rpc";
import type { ProcessCluster } from "./process-cluster.ts";
import { WriteHistory, type WriteOutcome } from "./write-history.ts";

export interface LoadOptions {
  readonly cluster: ProcessCluster;
  /** Acknowledged writes after which the load ends. */
  readonly writes: number;
  readonly clients?: number;
  readonly timeoutMs?: number;
  /** Called now and then with the writes acknowledged so far. */
  readonly onProgress?: (acknowledged: number) => void;
}

const keysOfClient = 20;
const readEvery = 10;

/** Clients that write and read keys of their own at whatever members run, until enough was acknowledged. */
export async function runHistoryLoad(options: LoadOptions): Promise<WriteHistory> {
  const { clients = 16 } = options;
  const load = { history: new WriteHistory(), acknowledged: 0, options };
  await Promise.all(Array.from({ length: clients }, (_, at) => runClient(`c${at}`, at, load)));
  return load.history;
}

interface Load {
  readonly history: WriteHistory;
  readonly options: LoadOptions;
  acknowledged: number;
}

async function runClient(name: string, start: number, load: Load): Promise<void> {
  const { cluster, writes, timeoutMs = 5_000, onProgress } = load.options;
  let place = start;
  let keysMade = 0;
  const keys = Array.from({ length: keysOfClient }, () => `${name}/k${keysMade++}`);
  for (let turn = 0; load.acknowledged < writes; turn++) {
    const member = cluster.members[place % cluster.members.length];
    const at = turn % keys.length;
    const key = keys[at];
    if (member === undefined || key === undefined) throw new Error("A cluster has members and a client has keys");
    const value = load.history.begin(key);
    try {
      const revision = await member.endpoint.put(key, value, timeoutMs);
      load.history.end(key, value, "acknowledged", revision);
      load.acknowledged++;
      onProgress?.(load.acknowledged);
    } catch (error) {
      const outcome = outcomeOf(error);
      load.history.end(key, value, outcome);
      // A write of unknown outcome may take effect at any time from now on: its key is left alone.
      if (outcome === "unknown") keys[at] = `${name}/k${keysMade++}`;
      place++;
    }
    if (turn % readEvery === 0) await readBack(key, cluster, place + turn, load.history);
  }
}

async function readBack(key: string, cluster: ProcessCluster, place: number, history: WriteHistory): Promise<void> {
  const member = cluster.members[place % cluster.members.length];
  const end = history.beginRead(key);
  try {
    end((await member?.endpoint.get(key, 2_000)) ?? null);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
  }
}

function outcomeOf(error: unknown): WriteOutcome {
  if (!(error instanceof RpcError)) throw error;
  return error.retryable === "safe" || error.retryable === "never" ? "failed" : "unknown";
}
