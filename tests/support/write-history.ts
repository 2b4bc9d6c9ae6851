import type { StoredPair } from "./etcd-endpoint.ts";

/** What became of a write, as its client saw it. */
export type WriteOutcome = "acknowledged" | "failed" | "unknown";

interface Write {
  readonly key: string;
  readonly value: string;
  readonly outcome: WriteOutcome;
  /** Of an acknowledged write. */
  readonly revision: number;
}

interface Read {
  readonly key: string;
  readonly value: string | null;
  /** The newest write of the key that was acknowledged before the read began; -1 for none. */
  readonly acknowledgedBefore: number;
  /** The newest write of the key that had begun when the read ended; -1 for none. */
  readonly begunBefore: number;
}

/**
 * A history of writes and reads by clients that each own their keys, so that one look at each key decides: a key that is written
 * by one client, one write after another, is linearizable if and only if every read shows a write that had begun when the read
 * ended, and none older than what was acknowledged when it began, and no read shows less than a read that ended before.
 */
export class WriteHistory {
  private readonly writes = new Map<string, Write[]>();
  private readonly reads: Read[] = [];
  private readonly begun = new Map<string, number>();
  private readonly acknowledged = new Map<string, number>();
  private readonly seen = new Map<string, number>();

  get acknowledgedCount(): number {
    return this.count("acknowledged");
  }

  get unknownCount(): number {
    return this.count("unknown");
  }

  get readCount(): number {
    return this.reads.length;
  }

  /** The value that the next write of this key is to have: `<key>#<number>`. */
  begin(key: string): string {
    const number = (this.begun.get(key) ?? -1) + 1;
    this.begun.set(key, number);
    return `${key}#${number}`;
  }

  end(key: string, value: string, outcome: WriteOutcome, revision = 0): void {
    const writes = this.writes.get(key) ?? [];
    writes.push({ key, value, outcome, revision });
    this.writes.set(key, writes);
    if (outcome === "acknowledged") this.acknowledged.set(key, numberOf(value));
  }

  /** Call when a read begins; call the result when it has ended. */
  beginRead(key: string): (value: string | null) => void {
    const acknowledgedBefore = Math.max(this.acknowledged.get(key) ?? -1, this.seen.get(key) ?? -1);
    return (value) => {
      this.reads.push({ key, value, acknowledgedBefore, begunBefore: this.begun.get(key) ?? -1 });
      if (value !== null) this.seen.set(key, Math.max(this.seen.get(key) ?? -1, numberOf(value)));
    };
  }

  /** What is wrong with the reads, and with what the store holds in the end. Empty if nothing is. */
  violations(finalState: readonly StoredPair[]): readonly string[] {
    return [...this.readViolations(), ...this.finalViolations(finalState), ...this.revisionViolations()];
  }

  private readViolations(): readonly string[] {
    const found: string[] = [];
    for (const { key, value, acknowledgedBefore, begunBefore } of this.reads) {
      const number = value === null ? -1 : numberOf(value);
      if (number < acknowledgedBefore)
        found.push(`A read of ${key} saw ${value}, but write ${acknowledgedBefore} was acknowledged before it`);
      if (number > begunBefore) found.push(`A read of ${key} saw ${value}, which nobody had written`);
    }
    return found;
  }

  private finalViolations(finalState: readonly StoredPair[]): readonly string[] {
    const found: string[] = [];
    const stored = new Map(finalState.map((pair) => [pair.key, pair.value]));
    for (const [key, writes] of this.writes) {
      const value = stored.get(key);
      stored.delete(key);
      const lastAcknowledged = this.acknowledged.get(key) ?? -1;
      const number = value === undefined ? -1 : numberOf(value);
      if (number < lastAcknowledged) found.push(`${key} holds ${value ?? "nothing"}, but write ${lastAcknowledged} was acknowledged`);
      const source = writes.find((write) => write.value === value);
      if (value !== undefined && source === undefined) found.push(`${key} holds ${value}, which nobody wrote`);
      if (source?.outcome === "failed") found.push(`${key} holds ${value}, whose write was reported as not done`);
    }
    for (const [key, value] of stored) found.push(`${key} holds ${value}, but nobody wrote this key`);
    return found;
  }

  private revisionViolations(): readonly string[] {
    const found: string[] = [];
    const owners = new Map<number, string>();
    for (const writes of this.writes.values()) {
      let last = 0;
      for (const { value, outcome, revision } of writes) {
        if (outcome !== "acknowledged") continue;
        const owner = owners.get(revision);
        if (owner !== undefined) found.push(`Revision ${revision} was given to ${owner} and to ${value}`);
        if (revision <= last) found.push(`${value} got revision ${revision} after ${last}`);
        owners.set(revision, value);
        last = revision;
      }
    }
    return found;
  }

  private count(outcome: WriteOutcome): number {
    let count = 0;
    for (const writes of this.writes.values()) for (const write of writes) if (write.outcome === outcome) count++;
    return count;
  }
}

function numberOf(value: string): number {
  const number = Number(value.slice(value.lastIndexOf("#") + 1));
  if (!Number.isSafeInteger(number)) throw new Error(`${value} is no value of this history`);
  return number;
}
