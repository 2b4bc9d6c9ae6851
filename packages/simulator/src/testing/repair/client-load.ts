import { etcdserverpb } from "@raftkv/api";
import type { Ports } from "@raftkv/raft-node";
import { Channel, type Client, createClient, RpcError } from "@raftkv/raft-rpc";
import { clientPort, type SimulatedCluster } from "../../cluster/simulated-cluster.ts";
import type { SeededRandom } from "../../timeline/seeded-random.ts";

type KvClient = Client<typeof etcdserverpb.kvService>;

const writers = ["a", "b", "c"];
const pauseMs = 15;
const timeoutMs = 500;
const largeBytes = 16_384;
/** All that is ever written is read at once in the end. */
const messageBytesMax = 64 * 1024 * 1024;
const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);
const range = {
  limit: 0,
  revision: 0,
  sortOrder: 0,
  sortTarget: 0,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
};
const noRangeEnd = new Uint8Array(0);

/** Clients that write a new key each time and read what was acknowledged, through all members. */
export class ClientLoad {
  /** Keys of the puts that a member acknowledged. */
  readonly acknowledged: string[] = [];
  readsTotal = 0;
  readonly #proposed = new Set<string>();
  readonly #clients: readonly KvClient[];
  readonly #ports: Ports;
  readonly #random: SeededRandom;
  #isStopping = false;
  #running: readonly Promise<void>[] = [];

  constructor({ simulation, nodes }: SimulatedCluster) {
    this.#random = simulation.random("load");
    this.#ports = simulation.addNode("client").start();
    const { network, clock, random } = this.#ports;
    this.#clients = nodes.map(({ name }) => {
      const connect = (): ReturnType<typeof network.connect> => network.connect({ host: name, port: clientPort }, timeoutMs);
      const authority = `${name}:${clientPort}`;
      return createClient(etcdserverpb.kvService, new Channel({ connect, authority, clock, random, limits: { messageBytesMax } }));
    });
  }

  start(): void {
    this.#running = [...writers.map((name) => this.#write(name)), this.#read()];
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#running);
  }

  /** Puts a new key at this member, as often as it takes. To be called in a run. */
  async putAt(member: number): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      if (await this.#put(member, `w-end-${attempt}`)) return;
      await this.#pause();
    }
  }

  /** Throws if this member lacks an acknowledged put, or shows what nobody proposed. To be called in a run. */
  async checkAll(member: number): Promise<void> {
    const request = { ...range, key: text("w"), rangeEnd: text("x"), serializable: true };
    const kvs = (await this.#clientOf(member).range(request, { timeoutMs: 10 * timeoutMs })).kvs;
    const found = new Set<string>();
    for (const { key, value } of kvs) {
      const name = new TextDecoder().decode(key);
      const isProposed = this.#proposed.has(name) && new TextDecoder().decode(value) === valueOf(name);
      if (!isProposed) throw new Error(`Member ${member + 1} shows ${name}, which nobody proposed`);
      found.add(name);
    }
    const missing = this.acknowledged.filter((name) => !found.has(name));
    if (missing.length > 0)
      throw new Error(`Member ${member + 1} lacks ${missing.length} acknowledged puts: ${missing.slice(0, 5).join(", ")}`);
  }

  async #write(name: string): Promise<void> {
    for (let next = 0; !this.#isStopping; next++) {
      await this.#put(this.#anyMember(), `w-${name}-${next}`);
      await this.#pause();
    }
  }

  async #put(member: number, name: string): Promise<boolean> {
    this.#proposed.add(name);
    const request = { key: text(name), value: text(valueOf(name)), lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
    const response = await answerOf(this.#clientOf(member).put(request, { timeoutMs }));
    if (response !== null) this.acknowledged.push(name);
    return response !== null;
  }

  /** What was acknowledged before a linearizable read began is there, whichever member is asked. */
  async #read(): Promise<void> {
    for (; !this.#isStopping; await this.#pause()) {
      if (this.acknowledged.length === 0) continue;
      const name = this.#random.oneIn(2) ? this.#random.pick(this.acknowledged) : this.acknowledged.at(-1);
      const member = this.#anyMember();
      const request = { ...range, key: text(name ?? ""), rangeEnd: noRangeEnd, serializable: false };
      const response = await answerOf(this.#clientOf(member).range(request, { timeoutMs }));
      if (response === null) continue;
      this.readsTotal++;
      if (response.kvs.length !== 1) throw new Error(`A linearizable read at member ${member + 1} lacks the acknowledged put ${name}`);
    }
  }

  #anyMember(): number {
    return this.#random.below(this.#clients.length);
  }

  #clientOf(member: number): KvClient {
    const client = this.#clients[member];
    if (client === undefined) throw new Error(`There is no member ${member + 1}`);
    return client;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#ports.clock.setTimer(pauseMs, resolve));
  }
}

/** Every other one is so large that what a repair brings back comes in several messages. */
function valueOf(name: string): string {
  const value = `value of ${name}`;
  return Number(name.at(-1)) % 2 === 0 ? value : value.padEnd(largeBytes, ".");
}

/** Null if the call failed, as calls may. */
async function answerOf<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (reason) {
    if (!(reason instanceof RpcError)) throw reason;
    return null;
  }
}
