import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Channel } from "@raftkv/raft-rpc";
import { cpuBetween } from "./cpu-time.ts";
import { findFreePorts } from "./free-ports.ts";
import { type MemberStatus, openChannel, readStatus } from "./member-channel.ts";
import { memberFlags, planMembers } from "./member-plan.ts";
import { MemberProcess } from "./member-process.ts";
import type { System } from "./system.ts";

const memberCount = 3;
const waitMaxMs = 30_000;
const statusTimeoutMs = 1000;
const askEveryMs = 50;
const stopGraceMs = 10_000;

export interface Member {
  readonly process: MemberProcess;
  readonly channel: Channel;
}

/** All members have the same term and leader, and have applied all that is committed. */
export interface InStep {
  readonly leader: Member;
  readonly followers: readonly Member[];
  readonly term: number;
}

/** CPU time of a cluster in milliseconds. */
export interface ClusterCpu {
  readonly leaderMs: number;
  /** Of all followers together. */
  readonly followersMs: number;
}

/** Three members of one system on 127.0.0.1, as processes of their own, with their data under one directory. */
export class Cluster {
  readonly system: System;
  readonly members: readonly Member[];
  #leader: Member | null = null;

  private constructor(system: System, members: readonly Member[]) {
    this.system = system;
    this.members = members;
  }

  /** Starts the processes; the caller waits for their leader, and stops them also when none comes. */
  static async spawn(system: System, directory: string): Promise<Cluster> {
    const home = join(directory, system.name);
    await mkdir(home, { recursive: true });
    const plans = planMembers(home, await findFreePorts(2 * memberCount));
    const members = plans.map((plan) => ({
      process: new MemberProcess(system, plan, memberFlags(plan, plans)),
      channel: openChannel(plan.clientPort),
    }));
    return new Cluster(system, members);
  }

  /** The member that led when it was asked last. */
  get leader(): Member {
    if (this.#leader === null) throw new Error(`${this.system.name} has no leader yet`);
    return this.#leader;
  }

  get followers(): readonly Member[] {
    return this.members.filter((member) => member !== this.leader);
  }

  /**
   * Resolves when one member leads and all follow it: true if it is another one than before. Rejects with a sentence if that does not come or a
   * member has ended, or with the reason of the signal.
   */
  async waitForLeader(signal: AbortSignal): Promise<boolean> {
    const previous = this.#leader;
    this.#leader = await this.#poll((states) => this.#agreedLeader(states), `${this.system.name} elected no leader`, signal);
    return previous !== null && previous !== this.#leader;
  }

  /** Resolves when all members are in step, while nothing is written. Rejects as `waitForLeader` does. */
  async waitInStep(signal: AbortSignal): Promise<InStep> {
    const failure = `the members of ${this.system.name} were not in step`;
    const { leader, term } = await this.#poll((states) => this.#agreedState(states), failure, signal);
    this.#leader = leader;
    return { leader, followers: this.followers, term };
  }

  /** CPU time used so far, or null where the system does not tell. */
  cpu(): ClusterCpu | null {
    const used = (member: Member): number | null => cpuBetween({ userMs: 0, systemMs: 0 }, member.process.cpuTime());
    const leaderMs = used(this.leader);
    let followersMs = 0;
    for (const follower of this.followers) followersMs += used(follower) ?? Number.NaN;
    return leaderMs === null || Number.isNaN(followersMs) ? null : { leaderMs, followersMs };
  }

  /** Ends all members. Resolves to the names of those that had to be killed. May be called again. */
  async stop(): Promise<readonly string[]> {
    await Promise.all(this.members.map(({ channel }) => channel.close()));
    const ends = await Promise.all(this.members.map(async ({ process }) => ((await process.stop(stopGraceMs)) ? [] : [process.plan.name])));
    return ends.flat();
  }

  /** SIGKILL to all that still run, for the end of this program. */
  kill(): void {
    for (const { process } of this.members) process.kill();
  }

  /** Asks all members until `found` finds something in what they say. */
  async #poll<T>(found: (states: readonly (MemberStatus | null)[]) => T | null, failure: string, signal: AbortSignal): Promise<T> {
    const deadlineMs = performance.now() + waitMaxMs;
    while (performance.now() < deadlineMs) {
      this.#checkRunning();
      signal.throwIfAborted();
      const result = found(await Promise.all(this.members.map(({ channel }) => readStatus(channel, statusTimeoutMs))));
      if (result !== null) return result;
      await pause(askEveryMs, undefined, { signal });
    }
    throw new Error(`${failure} within ${waitMaxMs / 1000} s`);
  }

  #agreedLeader(states: readonly (MemberStatus | null)[]): Member | null {
    const terms = new Set(states.map((state) => state?.term ?? -1n));
    const leading = this.members.filter((_, place) => states[place]?.isLeader === true);
    return terms.size === 1 && !terms.has(-1n) && leading.length === 1 ? (leading[0] ?? null) : null;
  }

  #agreedState(states: readonly (MemberStatus | null)[]): { readonly leader: Member; readonly term: number } | null {
    const leader = this.#agreedLeader(states);
    const indexes = new Set(states.flatMap((state) => (state === null ? [] : [state.committedIndex, state.appliedIndex])));
    return leader !== null && indexes.size === 1 ? { leader, term: Number(states[0]?.term) } : null;
  }

  #checkRunning(): void {
    for (const { process } of this.members) {
      if (process.end === null) continue;
      throw new Error(`${this.system.name} ${process.plan.name} ended by itself with ${process.end}\n${process.logTail()}`.trimEnd());
    }
  }
}
