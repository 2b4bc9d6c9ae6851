import type { LogEntry } from "@raftkv/raft-core";
import type { LogStore, RecoveredLog } from "@raftkv/raft-node";
import { entryAt, type LogPosition, type StorageLine, type StorageWork, snapshotBytesAt } from "./storage-work.ts";

/** A log as it may stand on the disk: the terms of the entries after `base`. */
interface LogState {
  /** The newest work that it holds. */
  readonly number: number;
  readonly term: number;
  readonly vote: number;
  readonly base: LogPosition;
  readonly terms: readonly number[];
}

const nowhere: LogPosition = { index: 0, term: 0 };

/**
 * What a log store must hold after its process was killed, by what that process told. Appends and installs become durable in their
 * order, so the log on the disk is one of those between the last acknowledged work and the last begun. A snapshot that was being
 * saved may be in force or not.
 *
 *     states   [ acknowledged | begun | begun | begun ]      the disk has one of them
 */
export class AcknowledgedLog {
  #states: readonly LogState[] = [{ number: 0, term: 0, vote: 0, base: nowhere, terms: [] }];
  /** The newest snapshot whose saving was acknowledged. */
  #saved: LogPosition = nowhere;
  readonly #saving = new Map<number, LogPosition>();

  /** Takes a line of the process into account. Lines come in the order in which they were written. */
  note(line: StorageLine): void {
    if (line.kind === "begun") this.#begin(line.number, line.work);
    if (line.kind === "done") this.#acknowledge(line.number);
  }

  /** What is wrong with the store that was opened on the disk, or null. What it holds counts as acknowledged from now on. */
  async check(store: Pick<LogStore, "recovered" | "readSnapshot">): Promise<string | null> {
    const { recovered } = store;
    const reported = recovered.lost?.description ?? recovered.quarantine?.kind ?? null;
    if (reported !== null) return `the store says that it lost something: ${reported}`;
    const { snapshot, entries } = recovered;
    const at: LogPosition = snapshot ?? nowhere;
    const flaw = flawOf(entries, at);
    if (flaw !== null) return flaw;
    const state = this.#states.find((candidate) => this.#mayHave(candidate, at) && holds(candidate, at, recovered));
    if (state === undefined) return this.#complaint(recovered);
    const { term, vote } = recovered.hardState;
    // Term and vote are written before the entries that come with them.
    const known = this.#states.slice(this.#states.indexOf(state)).some((later) => later.term === term && later.vote === vote);
    if (!known) return `term ${term} and vote ${vote} are neither of ${this.#states.map((later) => `${later.term}/${later.vote}`).join()}`;
    if (snapshot !== null && !(await holdsSnapshot(store, at))) return `the snapshot at ${at.index} holds something else`;
    this.#adopt({ number: 0, term, vote, base: at, terms: entries.filter(({ index }) => index > at.index).map((entry) => entry.term) });
    return null;
  }

  #begin(number: number, work: StorageWork): void {
    if (work.kind === "save") this.#saving.set(number, work.at);
    if (work.kind === "append" || work.kind === "install") {
      const last = this.#states.at(-1);
      if (last !== undefined) this.#states = [...this.#states, after(last, number, work)];
    }
  }

  #acknowledge(number: number): void {
    const at = this.#saving.get(number);
    if (at !== undefined) {
      this.#saving.delete(number);
      if (at.index > this.#saved.index) this.#saved = at;
      this.#states = this.#states.map((state) => rebased(state, at));
      return;
    }
    const place = this.#states.findIndex((state) => state.number === number);
    if (place > 0) this.#states = this.#states.slice(place);
  }

  #adopt(state: LogState): void {
    this.#states = [state];
    this.#saved = state.base;
    this.#saving.clear();
  }

  /** Whether the snapshot may be the one in force beside this log. */
  #mayHave(state: LogState, at: LogPosition): boolean {
    const newest = this.#saved.index > state.base.index ? this.#saved : state.base;
    if (at.index === newest.index) return at.term === newest.term;
    return at.index > newest.index && [...this.#saving.values()].some(({ index, term }) => index === at.index && term === at.term);
  }

  #complaint({ snapshot, entries }: RecoveredLog): string {
    const possible = this.#states.map((state) => rebased(state, this.#saved)).map(describe);
    const found = describe({ base: snapshot ?? nowhere, terms: entries.map(({ term }) => term) });
    return `found ${found} from ${entries[0]?.index ?? "nothing"} on, possible are ${possible.join(" or ")}`;
  }
}

function after(state: LogState, number: number, work: StorageWork & { readonly kind: "append" | "install" }): LogState {
  if (work.kind === "install") return { number, term: work.at.term, vote: work.vote, base: work.at, terms: [] };
  const { term, vote, first, count } = work;
  const kept = count === 0 ? state.terms : state.terms.slice(0, first - state.base.index - 1);
  return { ...state, number, term, vote, terms: [...kept, ...new Array<number>(count).fill(term)] };
}

/** The same log, seen from a later snapshot. */
function rebased(state: LogState, at: LogPosition): LogState {
  return at.index <= state.base.index ? state : { ...state, base: at, terms: state.terms.slice(at.index - state.base.index) };
}

function holds(state: LogState, at: LogPosition, { entries }: RecoveredLog): boolean {
  const { terms } = rebased(state, at);
  const found = entries.filter(({ index }) => index > at.index);
  return found.length === terms.length && found.every(({ term }, place) => term === terms[place]);
}

/** What is wrong with the entries by themselves: a gap, or data that was never given to that index and term. */
function flawOf(entries: readonly LogEntry[], snapshot: LogPosition): string | null {
  const first = entries[0]?.index ?? snapshot.index + 1;
  if (first > snapshot.index + 1) return `the log begins at ${first} after a snapshot at ${snapshot.index}`;
  for (const [place, { index, term, data }] of entries.entries()) {
    if (index !== first + place) return `entry ${index} stands where ${first + place} should`;
    if (Buffer.compare(data, entryAt({ index, term }).data) !== 0) return `entry ${index} of term ${term} holds other bytes`;
  }
  return null;
}

async function holdsSnapshot(store: Pick<LogStore, "readSnapshot">, at: LogPosition): Promise<boolean> {
  const reader = await store.readSnapshot();
  if (reader === null) return false;
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of reader.chunks()) chunks.push(chunk);
    return reader.meta.term === at.term && Buffer.compare(Buffer.concat(chunks), snapshotBytesAt(at)) === 0;
  } finally {
    await reader.close();
  }
}

function describe({ base, terms }: Pick<LogState, "base" | "terms">): string {
  const runs = terms.reduce<{ term: number; count: number }[]>((found, term) => {
    const last = found.at(-1);
    if (last?.term === term) last.count += 1;
    else found.push({ term, count: 1 });
    return found;
  }, []);
  return `snapshot ${base.index}/${base.term}, then ${runs.map(({ term, count }) => `${count} of term ${term}`).join(", ") || "nothing"}`;
}
