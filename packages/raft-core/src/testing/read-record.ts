import type { LogIndex, NodeId, ReadResult } from "../types.ts";
import { violated } from "./violation.ts";

/** Reads that were asked for, and what was committed then: no answer may be older (dissertation 6.4). */
export class ReadRecord {
  /** By member and request. */
  private readonly floors = new Map<string, LogIndex>();

  unansweredAt(id: NodeId): number {
    return [...this.floors.keys()].filter((key) => key.startsWith(`${id}/`)).length;
  }

  asked(id: NodeId, requestId: number, committed: LogIndex): void {
    this.floors.set(`${id}/${requestId}`, committed);
  }

  answered(id: NodeId, read: ReadResult): void {
    const key = `${id}/${read.requestId}`;
    const floor = this.floors.get(key);
    if (floor === undefined) violated(`read ${key} was answered twice or never asked`);
    if ("index" in read && read.index < floor) violated(`read ${key} got ${read.index}, but ${floor} was committed before`);
    this.floors.delete(key);
  }

  /** A member was restarted: nobody waits for what it was asked. */
  forget(id: NodeId): void {
    for (const key of this.floors.keys()) if (key.startsWith(`${id}/`)) this.floors.delete(key);
  }
}
