import { decodeRangeResponse, type KeyValue } from "@raftkv/api";
import type { Channel } from "@raftkv/raft-rpc";
import type { Cluster } from "../cluster/cluster.ts";
import { rangePath, rangeRequest } from "../load/workload.ts";
import type { ProbeWrites } from "./probe-writes.ts";

/** A member that is read, by serializable reads from its own store. */
export interface ReadMember {
  readonly name: string;
  readonly channel: Pick<Channel, "unary">;
}

/** All members of a cluster. */
export function readMembers({ system, members }: Cluster): readonly ReadMember[] {
  return members.map(({ process, channel }) => ({ name: `${system.name} ${process.plan.name}`, channel }));
}

const pagePairs = 2000;
const timeoutMs = 30_000;

/**
 * Compares the puts of a trial with what each member has; all must be in step. Resolves to a sentence for each thing that is not as it must be: an
 * acknowledged put is missing, one was made twice (its key's version says so), a value is another one, or a key was never put. A put that was not
 * acknowledged may be there or not. Rejects if a member does not answer.
 */
export async function readBack(members: readonly ReadMember[], writes: ProbeWrites): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { name, channel } of members) {
    const missing = new Set(writes.acknowledged);
    const tell = (problem: string): number => problems.push(`${name} ${problem}, trial ${writes.trial}`);
    for await (const pair of pairsOf(channel, writes.range)) {
      const number = writes.numberOf(pair.key);
      if (number === null) tell(`has a key that was never put: ${Buffer.from(pair.key).toString("latin1")}`);
      else {
        missing.delete(number);
        if (pair.version !== 1) tell(`made put ${number} ${pair.version} times`);
        if (Buffer.compare(pair.value, writes.value(number)) !== 0) tell(`has another value than put ${number}`);
      }
    }
    for (const number of missing) tell(`lost put ${number}`);
  }
  return problems;
}

/** All pairs of a range, in order, page by page. */
async function* pairsOf(
  channel: Pick<Channel, "unary">,
  { key, rangeEnd }: { readonly key: Uint8Array; readonly rangeEnd: Uint8Array },
): AsyncGenerator<KeyValue> {
  for (let from: Uint8Array | null = key; from !== null; ) {
    const request = rangeRequest(from, { rangeEnd, limit: pagePairs, serializable: true });
    const { kvs, more } = decodeRangeResponse(await channel.unary(rangePath, request, { timeoutMs }));
    yield* kvs;
    const last = kvs.at(-1);
    // The smallest key after the last one is the same with a zero byte behind it.
    from = more && last !== undefined ? Buffer.concat([last.key, Uint8Array.of(0)]) : null;
  }
}
