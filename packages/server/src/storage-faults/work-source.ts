import type { SeededRandom } from "@raftkv/raft-core/testing";
import type { RecoveredLog } from "@raftkv/raft-node";
import type { LogPosition, StorageWork } from "./storage-work.ts";

const nowhere: LogPosition = { index: 0, term: 0 };

/** Makes up work that fits the log, as a Raft core might ask for it: appends mostly, with every other kind in between. */
export class WorkSource {
  readonly #random: SeededRandom;
  readonly #terms: Map<number, number>;
  #term: number;
  #vote: number;
  #last: number;
  /** The newest snapshot that was asked for: what it covers is not replaced. */
  #snapshot: LogPosition;
  /** The newest snapshot in force: what it covers may be compacted. */
  #inForce: LogPosition;

  constructor(random: SeededRandom, { hardState, snapshot, entries }: RecoveredLog) {
    this.#random = random;
    this.#term = hardState.term;
    this.#vote = hardState.vote;
    this.#snapshot = snapshot ?? nowhere;
    this.#inForce = this.#snapshot;
    this.#terms = new Map([this.#snapshot, ...entries].map(({ index, term }) => [index, term]));
    this.#last = entries.at(-1)?.index ?? this.#snapshot.index;
  }

  next(): StorageWork {
    const choice = this.#random.below(100);
    if (this.#term === 0 || choice < 9) return this.#newTerm(this.#last + 1, 0);
    if (choice < 20) return this.#newTerm(this.#last + 1 - this.#random.below(1 + Math.min(5, this.#last - this.#snapshot.index)), 3);
    if (choice < 30 && this.#last > this.#snapshot.index) return this.#save();
    if (choice < 36 && this.#inForce.index > 0) return { kind: "compact", index: this.#inForce.index };
    if (choice < 38) return this.#install();
    return this.#append(this.#last + 1, 8);
  }

  /** The snapshot was acknowledged. */
  cameInForce(at: LogPosition): void {
    if (at.index > this.#inForce.index) this.#inForce = at;
  }

  /** A vote, or the first entries of a leader, which may replace the end of the log. */
  #newTerm(first: number, countMax: number): StorageWork {
    this.#term += 1;
    this.#vote = this.#random.below(4);
    return this.#append(first, countMax);
  }

  #append(first: number, countMax: number): StorageWork {
    const count = countMax === 0 ? 0 : 1 + this.#random.below(countMax);
    for (let index = first; index < first + count; index++) this.#terms.set(index, this.#term);
    if (count > 0) this.#last = first + count - 1;
    return { kind: "append", term: this.#term, vote: this.#vote, first, count };
  }

  #save(): StorageWork {
    const index = this.#snapshot.index + 1 + this.#random.below(this.#last - this.#snapshot.index);
    this.#snapshot = { index, term: this.#terms.get(index) ?? 0 };
    return { kind: "save", at: this.#snapshot };
  }

  #install(): StorageWork {
    this.#term += this.#random.below(2);
    this.#last += 1 + this.#random.below(20);
    this.#snapshot = { index: this.#last, term: this.#term };
    this.#terms.set(this.#last, this.#term);
    // Another term, another vote.
    this.#vote = 0;
    return { kind: "install", at: this.#snapshot, vote: 0 };
  }
}
