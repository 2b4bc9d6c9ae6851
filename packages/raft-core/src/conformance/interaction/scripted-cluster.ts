import type { NodeId } from "../../types.ts";
import type { Delivery } from "../local-messages.ts";
import { isLocal } from "../message-direction.ts";
import type { OutputSink } from "../output-sink.ts";
import type { ChangeText } from "../text/change-text.ts";
import { messageText } from "../text/message-text.ts";
import { ScriptedMember, type ScriptedMemberSetup } from "./scripted-member.ts";

export interface DeliveryChoice {
  readonly receiver: NodeId;
  /** They get lost instead. */
  readonly isDropping: boolean;
  readonly isChosen: (message: Delivery) => boolean;
}

/** The members of a script, and one network for all of them in which every message waits until the script asks for it. */
export class ScriptedCluster {
  readonly members: ScriptedMember[] = [];
  readonly sink: OutputSink;
  private readonly changeText: ChangeText;
  private waiting: readonly Delivery[] = [];

  constructor(sink: OutputSink, changeText: ChangeText) {
    this.sink = sink;
    this.changeText = changeText;
  }

  /** Its id is the next free one. */
  addMember(setup: ScriptedMemberSetup): void {
    const surroundings = { sink: this.sink, changeText: this.changeText, post: (message: Delivery) => this.post(message) };
    this.members.push(new ScriptedMember(this.members.length + 1, setup, surroundings));
  }

  member(id: NodeId): ScriptedMember {
    const member = this.members[id - 1];
    if (member === undefined) throw new Error(`There is no member ${id}`);
    return member;
  }

  post(message: Delivery): void {
    this.waiting = [...this.waiting, message];
  }

  /** Delivers or drops in the order in which they were sent, and returns how many there were. Consequences stay for later. */
  deliver(choice: DeliveryChoice): number {
    const chosen = this.waiting.filter((message) => isMeant(message, choice));
    this.waiting = this.waiting.filter((message) => !isMeant(message, choice));
    for (const message of chosen) {
      this.sink.write(`${choice.isDropping ? "dropped: " : ""}${messageText(message)}\n`);
      if (choice.isDropping) continue;
      const answer = this.member(choice.receiver).receive(message);
      if (answer !== null) this.sink.write(`${answer}\n`);
    }
    return chosen.length;
  }

  /** Lets these members work and talk to each other until nothing is left to do. */
  stabilize(ids: readonly NodeId[]): void {
    const members = ids.map((id) => this.member(id));
    const doneByAll = (work: (member: ScriptedMember) => boolean): boolean => members.map(work).includes(true);
    let isBusy = true;
    while (isBusy) {
      isBusy = doneByAll((member) => this.handleReady(member));
      isBusy = doneByAll((member) => this.receiveAll(member)) || isBusy;
      isBusy = doneByAll((member) => this.appendAll(member)) || isBusy;
      isBusy = doneByAll((member) => this.applyAll(member)) || isBusy;
    }
  }

  /** Whether there was anything. */
  private handleReady(member: ScriptedMember): boolean {
    if (!member.core.hasReady) return false;
    this.sink.write(`> ${member.id} handling Ready\n`);
    this.sink.indented(() => member.processReady());
    return true;
  }

  private receiveAll(member: ScriptedMember): boolean {
    const choice = { receiver: member.id, isDropping: false, isChosen: () => true };
    if (!this.waiting.some((message) => isMeant(message, choice))) return false;
    this.sink.write(`> ${member.id} receiving messages\n`);
    this.sink.indented(() => this.deliver(choice));
    return true;
  }

  private appendAll(member: ScriptedMember): boolean {
    if (member.appendWork.length === 0) return false;
    this.sink.write(`> ${member.id} processing append thread\n`);
    while (member.appendWork.length > 0) this.sink.indented(() => member.processAppendThread());
    return true;
  }

  private applyAll(member: ScriptedMember): boolean {
    if (member.applyWork.length === 0) return false;
    this.sink.write(`> ${member.id} processing apply thread\n`);
    while (member.applyWork.length > 0) this.sink.indented(() => member.processApplyThread());
    return true;
  }
}

function isMeant(message: Delivery, { receiver, isDropping, isChosen }: DeliveryChoice): boolean {
  return message.to === receiver && isChosen(message) && !(isDropping && isLocal(message));
}
