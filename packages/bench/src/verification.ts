import { decodeRangeResponse, type RangeResponse } from "@raftkv/api";
import type { Channel } from "@raftkv/raft-rpc";
import type { KeySpace } from "./load/key-space.ts";
import { SeededRandom } from "./load/seeded-random.ts";
import { rangePath, rangeRequest } from "./load/workload.ts";
import type { WriteLedger } from "./load/write-ledger.ts";

/** What of a cluster is checked. */
export interface VerifiedCluster {
  /** Named channels to all members. */
  readonly members: readonly { readonly name: string; readonly channel: Pick<Channel, "unary"> }[];
  readonly keys: KeySpace;
  readonly ledger: WriteLedger;
  /** The cluster's before the first put. */
  readonly firstRevision: number;
}

export interface Verification {
  readonly keysChecked: number;
  readonly membersChecked: number;
  /** A sentence for each thing that is not as it must be; empty: all is well. */
  readonly problems: readonly string[];
}

const sampleMax = 1000;
const inFlight = 100;
const timeoutMs = 30_000;
const problemsMax = 20;

/** The revision of the store, by a linearizable read. */
export async function readRevision(channel: Pick<Channel, "unary">): Promise<number> {
  return (await range(channel, rangeRequest(Uint8Array.of(0)))).header.revision;
}

/**
 * Reads back what was written, from every member: after a linearizable read on it, which brings it up to date, a sample of keys by serializable
 * reads from its own store. Values must be the ones that were put; the version of a key (the number of its puts, as etcd counts) and the growth
 * of the revision must lie between what was acknowledged and what was sent; no key may be missing. So a cluster that loses, repeats or
 * invents writes does not pass, however fast it is. Rejects if a member does not answer.
 */
export async function verify(cluster: VerifiedCluster): Promise<Verification> {
  const sample = sampleOf(cluster.keys.count);
  const problems: string[] = [];
  for (const { name, channel } of cluster.members) {
    const tell = (problem: string): void => {
      if (problems.length < problemsMax) problems.push(`${name}: ${problem}`);
    };
    checkRevision(cluster, await readRevision(channel), tell);
    await checkCount(cluster, channel, tell);
    for (let start = 0; start < sample.length; start += inFlight) {
      await Promise.all(sample.slice(start, start + inFlight).map((key) => checkKey(cluster, channel, key, tell)));
    }
  }
  return { keysChecked: sample.length, membersChecked: cluster.members.length, problems };
}

type Tell = (problem: string) => void;

function checkRevision({ ledger, firstRevision }: VerifiedCluster, revision: number, tell: Tell): void {
  const puts = revision - firstRevision;
  if (puts >= ledger.acknowledgedTotal && puts <= ledger.sentTotal) return;
  tell(`its revision grew by ${puts}, but ${ledger.acknowledgedTotal} puts were acknowledged of ${ledger.sentTotal}`);
}

async function checkCount({ keys }: VerifiedCluster, channel: Pick<Channel, "unary">, tell: Tell): Promise<void> {
  const { key, rangeEnd } = keys.range;
  const { count } = await range(channel, rangeRequest(key, { rangeEnd, countOnly: true, serializable: true }));
  if (count !== keys.count) tell(`it has ${count} keys, ${keys.count} were written`);
}

async function checkKey({ keys, ledger }: VerifiedCluster, channel: Pick<Channel, "unary">, key: number, tell: Tell): Promise<void> {
  const response = await range(channel, rangeRequest(keys.key(key), { serializable: true }));
  const pair = response.kvs[0];
  if (pair === undefined) return tell(`key ${key} is missing`);
  if (Buffer.compare(pair.key, keys.key(key)) !== 0) tell(`key ${key} was answered with another key`);
  if (Buffer.compare(pair.value, keys.value(key)) !== 0) tell(`key ${key} has another value than was put`);
  const acknowledged = ledger.acknowledged[key] ?? 0;
  const sent = ledger.sent[key] ?? 0;
  if (pair.version < acknowledged || pair.version > sent) {
    tell(`key ${key} has version ${pair.version}, but ${acknowledged} puts were acknowledged of ${sent}`);
  }
}

async function range(channel: Pick<Channel, "unary">, request: Uint8Array): Promise<RangeResponse> {
  return decodeRangeResponse(await channel.unary(rangePath, request, { timeoutMs }));
}

/** All keys, or a random sample of them. */
function sampleOf(count: number): readonly number[] {
  if (count <= sampleMax) return Array.from({ length: count }, (_, key) => key);
  const random = new SeededRandom(count);
  return Array.from({ length: sampleMax }, () => random.below(count));
}
