import { type NodeId, type PeerMessage, RaftCore, votersOnly } from "@raftkv/raft-core";
import { CoreEventLog } from "./core-event-log.ts";
import { Inbox } from "./inbox.ts";
import { successorOf } from "./successor.ts";
import { timingOf } from "./timing.ts";

const FOUNDERS: readonly NodeId[] = [1, 2, 3];
const ROUNDS = 20;
const COMMAND = new Uint8Array(16);

/**
 * Lets three cores in memory elect, hand over and lose a leader, again and again. JavaScript is compiled when it is called for the first
 * time, and well only when it was called often; without a rehearsal a process does that while its cluster waits for a leader, where it
 * takes about as long as the messages on the wire. For processes that serve, once, before anything else: it takes some 30 ms. Throws if
 * the play does not go as it must.
 */
export function rehearseElections(): void {
  for (let round = 0; round < ROUNDS; round++) {
    const stage = new Stage();
    stage.act([1], (core) => core.campaign());
    stage.expectLeader(1);
    stage.act([1, 2], (core) => core.propose([COMMAND, COMMAND]));
    stage.act([1], (core) => core.resignTo(successorOf(core.status()) ?? 0));
    stage.expectLeader(2);
    stage.act([2], (core) => core.propose([COMMAND]));
    stage.lose(2);
    stage.act([1, 3], (core) => core.peerDown(2));
    stage.expectLeader(1);
    stage.act([1, 3], (core) => core.propose([COMMAND]));
  }
}

/** Members whose disk and wire take no time. */
class Stage {
  private readonly cores: Map<NodeId, RaftCore>;
  private readonly inbox = new Inbox();

  constructor() {
    const { heartbeatTicks, electionTicks } = timingOf({ heartbeatMs: 100, electionMs: 1000 });
    const eventLog = new CoreEventLog({ logger: SILENT, nameOf: String });
    const configuration = votersOnly(FOUNDERS);
    const start = {
      hardState: { term: 1, vote: 0, commit: 1 },
      snapshot: { index: 1, term: 1, configuration },
      entries: [],
      configuration,
    };
    const onEvent = eventLog.write.bind(eventLog);
    this.cores = new Map(
      FOUNDERS.map((id) => [id, new RaftCore({ id, heartbeatTicks, electionTicks, onEvent }, start, { below: () => id })]),
    );
  }

  /** These members do something, and everybody does what follows. */
  act(ids: readonly NodeId[], action: (core: RaftCore) => unknown): void {
    for (const id of ids) {
      const core = this.cores.get(id);
      if (core !== undefined) action(core);
    }
    for (let isBusy = true; isBusy; ) {
      isBusy = false;
      for (const core of this.cores.values()) if (this.work(core)) isBusy = true;
      this.inbox.drainMessages((message) => this.cores.get(message.to)?.step(message));
    }
  }

  lose(id: NodeId): void {
    this.cores.delete(id);
  }

  expectLeader(id: NodeId): void {
    for (const core of this.cores.values()) if (core.leader !== id) throw new Error(`Member ${id} was not elected in a rehearsal`);
  }

  private work(core: RaftCore): boolean {
    let isAny = false;
    for (let ready = core.ready(); ready !== undefined; ready = core.ready()) {
      isAny = true;
      this.post(ready.messages);
      if (ready.append !== null) {
        this.post(ready.append.messages);
        core.appended(ready.append);
      }
      if (ready.apply !== null) core.applied(ready.apply);
    }
    return isAny;
  }

  private post(messages: readonly PeerMessage[]): void {
    for (const message of messages) if (message.to !== message.from) this.inbox.add(message);
  }
}

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
