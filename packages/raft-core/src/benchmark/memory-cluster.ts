import { votersOnly } from "../membership/configuration.ts";
import type { PeerMessage } from "../messages.ts";
import type { CoreOptions } from "../options.ts";
import { RaftCore } from "../raft-core.ts";
import type { AppendJob, Ready } from "../ready.ts";
import type { LogEntry } from "../types.ts";

/** Applied entries after which the log is cut, so that a long run stays in memory. */
const COMPACT_EVERY = 200_000;

interface MemoryMember {
  readonly core: RaftCore;
  readonly inbox: PeerMessage[];
  /** What a disk would hold, as far as it was not cut. */
  readonly stored: LogEntry[];
  compactedTo: number;
}

/** Three cores in one process: messages are handed over as objects, storing is an array, applying is counting. */
export class MemoryCluster {
  private readonly members: readonly MemoryMember[];

  constructor(options: Partial<CoreOptions> = {}) {
    const configuration = votersOnly([1, 2, 3]);
    const start = { hardState: { term: 0, vote: 0, commit: 0 }, snapshot: null, entries: [], configuration };
    this.members = configuration.voters.map((id) => ({
      core: new RaftCore({ electionTicks: 10, heartbeatTicks: 1, ...options, id }, start, { below: () => 0 }),
      inbox: [],
      stored: [],
      compactedTo: 0,
    }));
    this.leader.campaign();
    this.settle();
    if (this.leader.role !== "leader") throw new Error("The first member was not elected");
  }

  get leader(): RaftCore {
    const [first] = this.members;
    if (first === undefined) throw new Error("The cluster has members");
    return first.core;
  }

  /** One turn of every member: what has come in, one Ready, its disk. False if nothing was to be done. */
  turn(): boolean {
    let isBusy = false;
    for (const member of this.members) isBusy = this.turnOf(member) || isBusy;
    return isBusy;
  }

  settle(): void {
    while (this.turn());
  }

  /** A heartbeat interval passes. */
  tick(): void {
    for (const { core } of this.members) core.tick();
    this.settle();
  }

  private turnOf(member: MemoryMember): boolean {
    const { core, inbox } = member;
    const arrived = inbox.length;
    for (let place = 0; place < arrived; place++) {
      const message = inbox[place];
      if (message !== undefined) core.step(message);
    }
    inbox.splice(0, arrived);
    const ready = core.ready();
    if (ready === undefined) return arrived > 0;
    this.act(member, ready);
    return true;
  }

  private act(member: MemoryMember, ready: Ready): void {
    this.deliver(ready.messages);
    if (ready.append !== null) this.store(member, ready.append);
    if (ready.apply === null) return;
    const last = ready.apply.entries[ready.apply.entries.length - 1];
    member.core.applied(ready.apply);
    if (last !== undefined && last.index - member.compactedTo >= COMPACT_EVERY) this.compact(member, last);
  }

  private store(member: MemoryMember, job: AppendJob): void {
    for (const entry of job.entries) member.stored.push(entry);
    this.deliver(job.messages);
    member.core.appended(job);
  }

  private deliver(messages: readonly PeerMessage[]): void {
    for (const message of messages) {
      if (message.to !== message.from) this.members[message.to - 1]?.inbox.push(message);
    }
  }

  private compact(member: MemoryMember, { index, term }: LogEntry): void {
    const { core } = member;
    core.snapshotSaved({ index, term, configuration: core.configuration });
    core.compact(index - COMPACT_EVERY / 2);
    member.compactedTo = index - COMPACT_EVERY / 2;
    member.stored.length = 0;
  }
}
