import type { CoreEvent } from "../../events.ts";
import { isTracked } from "../../membership/configuration.ts";
import type { PeerMessage } from "../../messages.ts";
import type { CoreOptions } from "../../options.ts";
import { RaftCore } from "../../raft-core.ts";
import type { ApplyJob, Ready } from "../../ready.ts";
import { SeededRandom } from "../../testing/seeded-random.ts";
import type { ConfigurationChange, CoreStart, LogEntry, NodeId, SnapshotMeta } from "../../types.ts";
import { CommandError } from "../command-error.ts";
import { type Delivery, responsesToAppend, responsesToApply, type StorageAppend, type StorageApply } from "../local-messages.ts";
import { logLineOf } from "../log-lines/log-lines.ts";
import { MemoryStorage } from "../memory-storage.ts";
import { isResponse, isToItself } from "../message-direction.ts";
import { decodedChange } from "../old-style-change.ts";
import type { OutputSink } from "../output-sink.ts";
import type { ChangeText } from "../text/change-text.ts";
import { messageText } from "../text/message-text.ts";
import { readyText } from "../text/ready-text.ts";

export interface ScriptedMemberSetup {
  /** All but the id and the listener. */
  readonly options: Omit<CoreOptions, "id" | "onEvent">;
  /** Jobs for the own storage wait until the script lets them go on; otherwise they are done along with their Ready. */
  readonly isAsynchronous: boolean;
  /** What the member starts from. With index 0 it knows nobody. */
  readonly snapshot: SnapshotMeta;
}

export interface ScriptedMemberSurroundings {
  readonly sink: OutputSink;
  readonly changeText: ChangeText;
  /** Where its messages go. */
  readonly post: (message: Delivery) => void;
}

/** The text of the only outcome that is an error to who sent a message. */
const PROPOSAL_DROPPED = "raft proposal dropped";
const NOTHING_READY: Ready = { softState: null, messages: [], append: null, apply: null, reads: [], isRepaired: false };

/** One member of a script's cluster: a core, its storage, and the jobs that wait for the storage. */
export class ScriptedMember {
  readonly id: NodeId;
  readonly core: RaftCore;
  readonly storage = new MemoryStorage();
  readonly appendWork: StorageAppend[] = [];
  readonly applyWork: StorageApply[] = [];
  private readonly isAsynchronous: boolean;
  private readonly surroundings: ScriptedMemberSurroundings;
  /** The state machine after each entry; a leader sends the newest. Received snapshots are not among them. */
  private readonly history: SnapshotMeta[];
  /** Term and vote that the last Ready with a hard state had. */
  private promised = { term: 0, vote: 0 };
  private wasProposalDropped = false;

  constructor(id: NodeId, setup: ScriptedMemberSetup, surroundings: ScriptedMemberSurroundings) {
    this.id = id;
    this.isAsynchronous = setup.isAsynchronous;
    this.surroundings = surroundings;
    this.history = [setup.snapshot];
    const isBootstrapped = setup.snapshot.index > 0;
    if (isBootstrapped) this.storage.applySnapshot(setup.snapshot);
    const start: CoreStart = {
      hardState: { term: 0, vote: 0, commit: 0 },
      snapshot: isBootstrapped ? setup.snapshot : null,
      entries: [],
      configuration: setup.snapshot.configuration,
    };
    this.core = new RaftCore({ ...setup.options, id, onEvent: (event) => this.onEvent(event) }, start, new SeededRandom(id));
  }

  /** The state machine's newest state. */
  get newestSnapshot(): SnapshotMeta {
    const newest = this.history.at(-1);
    if (newest === undefined) throw new Error("A member begins with a snapshot, be it empty");
    return newest;
  }

  /** Throws CommandError if the proposal is dropped. */
  propose(data: Uint8Array): void {
    if (this.core.propose([data]).outcome === "dropped") throw new CommandError(PROPOSAL_DROPPED);
  }

  /** As `propose`, for a change of members. */
  proposeChange(change: ConfigurationChange): void {
    if (this.core.proposeChange(change).outcome === "dropped") throw new CommandError(PROPOSAL_DROPPED);
  }

  /** A message arrives. Returns what its sender would be told, null for nothing. */
  receive(message: Delivery): string | null {
    switch (message.type) {
      case "storageAppendResponse":
        this.core.acknowledge(message.acknowledges);
        return null;
      case "storageApplyResponse":
        this.core.applied(message.job);
        return null;
      default:
        return this.receiveFromMember(message);
    }
  }

  processReady(): void {
    const ready = this.core.ready() ?? NOTHING_READY;
    const append: StorageAppend | null = ready.append && { type: "storageAppend", from: this.id, job: ready.append };
    const apply: StorageApply | null = ready.apply && { type: "storageApply", from: this.id, job: ready.apply };
    this.describe(ready, append, apply);
    if (this.isAsynchronous) {
      ready.messages.forEach(this.surroundings.post);
      if (append !== null) this.appendWork.push(append);
      if (apply !== null) this.applyWork.push(apply);
    } else {
      this.workAtOnce(ready);
    }
  }

  /** Does the oldest job of the append queue. */
  processAppendThread(): void {
    const work = this.appendWork.shift();
    if (work === undefined) return this.surroundings.sink.write("no append work to perform");
    this.process(messageText(work), responsesToAppend(work), () => this.store(work.job));
  }

  /** Does the oldest job of the apply queue. */
  processApplyThread(): void {
    const work = this.applyWork.shift();
    if (work === undefined) return this.surroundings.sink.write("no apply work to perform");
    this.process(messageText(work), responsesToApply(work), () => this.apply(work.job));
  }

  private process(title: string, responses: readonly Delivery[], work: () => void): void {
    const { sink, post } = this.surroundings;
    sink.write(`Processing:\n${title}\n`);
    work();
    sink.write(`Responses:\n${responses.map((response) => `${messageText(response)}\n`).join("")}`);
    responses.forEach(post);
  }

  private describe(ready: Ready, append: StorageAppend | null, apply: StorageApply | null): void {
    const { hardState = null, entries = [], snapshot = null } = ready.append ?? {};
    const sent = this.isAsynchronous ? ready.messages : [...ready.messages, ...this.messagesToOthers(ready)];
    const messages = sent.map((message) => messageText(message));
    if (this.isAsynchronous && append !== null) messages.push(messageText(append, responsesToAppend(append)));
    if (this.isAsynchronous && apply !== null) messages.push(messageText(apply, responsesToApply(apply)));
    const isPromiseNew = hardState !== null && (hardState.term !== this.promised.term || hardState.vote !== this.promised.vote);
    const committed = ready.apply?.entries ?? [];
    const mustSync = entries.length > 0 || isPromiseNew;
    this.surroundings.sink.write(readyText({ mustSync, softState: ready.softState, hardState, entries, snapshot, committed, messages }));
    if (hardState !== null) this.promised = hardState;
  }

  /** What synchronous mode does with a Ready: store, apply, send, and report. */
  private workAtOnce(ready: Ready): void {
    if (ready.append !== null) this.store(ready.append);
    if (ready.apply !== null) this.apply(ready.apply);
    ready.messages.forEach(this.surroundings.post);
    this.messagesToOthers(ready).forEach(this.surroundings.post);
    for (const message of ready.append?.messages ?? []) if (isToItself(message)) this.core.stepOwn(message);
    if (ready.append?.acknowledges) this.core.acknowledge(ready.append.acknowledges);
    if (ready.apply !== null) this.core.applied(ready.apply);
  }

  private messagesToOthers(ready: Ready): readonly PeerMessage[] {
    return ready.append?.messages.filter((message) => !isToItself(message)) ?? [];
  }

  private store({ entries, snapshot }: { readonly entries: readonly LogEntry[]; readonly snapshot: SnapshotMeta | null }): void {
    if (snapshot === null) return this.storage.append(entries);
    if (entries.length > 0) throw new CommandError("can't apply snapshot and entries at the same time");
    this.storage.applySnapshot(snapshot);
  }

  /** Every entry leads to a new state of the state machine. */
  private apply({ entries }: ApplyJob): void {
    for (const { index, term, kind, data } of entries) {
      const isChange = kind === "configuration";
      const configuration = isChange ? this.core.applyChange(decodedChange(data)) : this.newestSnapshot.configuration;
      const snapshot = { index, term, configuration };
      this.history.push(snapshot);
      this.core.snapshotSaved(snapshot);
    }
  }

  private receiveFromMember(message: PeerMessage): string | null {
    if (isResponse(message) && !isTracked(this.core.configuration, message.from)) {
      return "raft: cannot step as peer not found";
    }
    this.wasProposalDropped = false;
    if (isToItself(message)) this.core.stepOwn(message);
    else this.core.step(message);
    return message.type === "forwardPropose" && this.wasProposalDropped ? PROPOSAL_DROPPED : null;
  }

  private onEvent(event: CoreEvent): void {
    if (event.type === "proposalDropped") this.wasProposalDropped = true;
    const { sink, changeText } = this.surroundings;
    const line = logLineOf(event, { id: this.id, changeText });
    if (line !== null) sink.log(line.level, line.text);
  }
}
