import type { Configuration, HardState, LogEntry, SnapshotMeta } from "@raftkv/raft-core";
import { describe, expect, test } from "vitest";
import type { LogStore } from "../log-store.ts";

/** One place where a store keeps its data. */
export interface LogStoreFixture {
  /** Opens the store; never two at once. */
  open(): Promise<LogStore>;
  /** As `open`, by a store that keeps as little of its log in memory as it can. */
  openSparingly(): Promise<LogStore>;
  /** Opens again what a power cut now would leave. Only called if `supports.crash`; the store that was open is given up. */
  openAfterCrash(): Promise<LogStore>;
  /** Called after each test. */
  close?(): Promise<void>;
  readonly supports: { readonly crash: boolean };
}

function entry(index: number, term: number, text = `entry ${index} of term ${term}`): LogEntry {
  return { index, term, kind: "command", data: new TextEncoder().encode(text) };
}

function entries(from: number, to: number, term: number): readonly LogEntry[] {
  return Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, term));
}

function hard(term: number, vote = 0, commit = 0): HardState {
  return { term, vote, commit };
}

/** In the midst of a change of members, so that every part of a configuration has to be kept. */
const configuration: Configuration = { voters: [1, 2, 3], outgoing: [1, 2, 4], learners: [5], learnersNext: [4], autoLeave: true };

function snapshot(index: number, term: number): SnapshotMeta {
  return { index, term, configuration };
}

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

async function readText(store: LogStore): Promise<string | null> {
  const reader = await store.readSnapshot();
  if (reader === null) return null;
  const decoder = new TextDecoder();
  let text = "";
  let sizeBytes = 0;
  for await (const chunk of reader.chunks()) {
    text += decoder.decode(chunk, { stream: true });
    sizeBytes += chunk.length;
  }
  expect(sizeBytes).toBe(reader.sizeBytes);
  await reader.close();
  return text;
}

/** What a follower of this log could see: positions and contents after the snapshot. */
function visible(store: LogStore): readonly string[] {
  const { snapshot: found, entries: all } = store.recovered;
  const after = found?.index ?? 0;
  return all
    .filter(({ index }) => index > after)
    .map(({ index, term, kind, data }) => `${index}/${term} ${kind} ${new TextDecoder().decode(data)}`);
}

function expected(...lists: readonly (readonly LogEntry[])[]): readonly string[] {
  return lists.flat().map(({ index, term, kind, data }) => `${index}/${term} ${kind} ${new TextDecoder().decode(data)}`);
}

/** What every `LogStore` has to do. `makeFixture` gives a new, empty place for each test. */
export function describeLogStore(name: string, makeFixture: () => Promise<LogStoreFixture>): void {
  describe(`LogStore: ${name}`, () => {
    function storeTest(title: string, body: (fixture: LogStoreFixture) => Promise<void>): void {
      test(title, async () => {
        const fixture = await makeFixture();
        try {
          await body(fixture);
        } finally {
          await fixture.close?.();
        }
      });
    }

    /** Runs once with a clean stop in the middle, and once with a power cut if the store can. */
    function durabilityTest(
      title: string,
      body: (open: () => Promise<LogStore>, again: (store: LogStore) => Promise<LogStore>) => Promise<void>,
    ): void {
      storeTest(`${title}, after a stop`, (fixture) =>
        body(
          () => fixture.open(),
          async (store) => {
            await store.close();
            return fixture.open();
          },
        ),
      );
      test(`${title}, after a power cut`, async (context) => {
        const fixture = await makeFixture();
        try {
          if (!fixture.supports.crash) return context.skip();
          await body(
            () => fixture.open(),
            () => fixture.openAfterCrash(),
          );
        } finally {
          await fixture.close?.();
        }
      });
    }

    storeTest("a first start finds nothing", async (fixture) => {
      const store = await fixture.open();
      expect(store.recovered).toEqual({
        hardState: hard(0),
        snapshot: null,
        replay: null,
        entries: [],
        logBytes: 0,
        quarantine: null,
        lost: null,
      });
      expect(await store.readSnapshot()).toBeNull();
      await store.close();
    });

    durabilityTest("entries of every kind and size are there", async (open, again) => {
      let store = await open();
      const all: LogEntry[] = [
        { index: 1, term: 1, kind: "empty", data: new Uint8Array(0) },
        { index: 2, term: 1, kind: "configuration", data: new Uint8Array([0]) },
        { index: 3, term: 2, kind: "command", data: new Uint8Array(3_000).fill(0) },
        { index: 4, term: 2, kind: "command", data: new Uint8Array(100_000).map((_, at) => at) },
      ];
      await store.append({ hardState: hard(2, 3), entries: all });
      store = await again(store);
      expect(store.recovered.entries).toEqual(all);
      await store.close();
    });

    durabilityTest("term and vote are there, also without entries", async (open, again) => {
      let store = await open();
      await store.append({ hardState: hard(3, 2), entries: [] });
      await store.append({ hardState: hard(7, 0), entries: [] });
      store = await again(store);
      expect(store.recovered.hardState).toMatchObject({ term: 7, vote: 0 });
      await store.append({ hardState: hard(7, 1), entries: [] });
      store = await again(store);
      expect(store.recovered.hardState).toMatchObject({ term: 7, vote: 1 });
      await store.close();
    });

    durabilityTest("entries replace what is stored at or above their first index", async (open, again) => {
      let store = await open();
      await store.append({ hardState: hard(1), entries: entries(1, 5, 1) });
      await store.append({ hardState: hard(2), entries: entries(3, 4, 2) });
      await store.append({ hardState: hard(3), entries: entries(4, 6, 3) });
      store = await again(store);
      expect(visible(store)).toEqual(expected(entries(1, 2, 1), entries(3, 3, 2), entries(4, 6, 3)));
      await store.append({ hardState: hard(4), entries: entries(1, 1, 4) });
      store = await again(store);
      expect(visible(store)).toEqual(expected(entries(1, 1, 4)));
      await store.close();
    });

    durabilityTest("the commit index is a hint that never passes the log's end", async (open, again) => {
      let store = await open();
      await store.append({ hardState: hard(1, 1, 2), entries: entries(1, 3, 1) });
      await store.append({ hardState: hard(1, 1, 3), entries: [] });
      store = await again(store);
      expect(store.recovered.hardState.commit).toBeLessThanOrEqual(3);
      await store.append({ hardState: hard(1, 1, 3), entries: entries(4, 4, 1) });
      store = await again(store);
      expect(store.recovered.hardState.commit).toBeLessThanOrEqual(4);
      await store.close();
    });

    durabilityTest("appends that overlap become durable in their order", async (open, again) => {
      let store = await open();
      const order: number[] = [];
      const calls = Array.from({ length: 40 }, async (_, at) => {
        await store.append({ hardState: at % 10 === 0 ? hard(1 + at / 10) : null, entries: [entry(at + 1, 1 + Math.floor(at / 10))] });
        order.push(at);
      });
      await Promise.all(calls);
      expect(order).toEqual(Array.from({ length: 40 }, (_, at) => at));
      store = await again(store);
      expect(store.recovered.entries.map(({ index, term }) => `${index}/${term}`)).toEqual(
        order.map((at) => `${at + 1}/${1 + Math.floor(at / 10)}`),
      );
      await store.close();
    });

    durabilityTest("many starts in a row lose nothing", async (open, again) => {
      let store = await open();
      for (let index = 1; index <= 6; index++) {
        await store.append({ hardState: hard(index), entries: [entry(index, index)] });
        store = await again(store);
      }
      expect(store.recovered.entries.map(({ index, term }) => [index, term])).toEqual([1, 2, 3, 4, 5, 6].map((index) => [index, index]));
      await store.close();
    });

    durabilityTest("a snapshot of the own state is in force and the log stays", async (open, again) => {
      let store = await open();
      await store.append({ hardState: hard(1, 1, 3), entries: entries(1, 5, 1) });
      await store.saveSnapshot(snapshot(3, 1), chunks("state ", "at ", "3"));
      expect(await readText(store)).toBe("state at 3");
      await store.append({ hardState: null, entries: entries(6, 6, 1) });
      store = await again(store);
      expect(store.recovered.snapshot).toEqual(snapshot(3, 1));
      expect(await readText(store)).toBe("state at 3");
      expect(visible(store)).toEqual(expected(entries(4, 6, 1)));
      await store.close();
    });

    storeTest("what is committed behind a snapshot may be replayed, part by part, until it is released", async (fixture) => {
      const first = await fixture.open();
      await first.append({ hardState: hard(1, 1), entries: entries(1, 9, 1) });
      await first.append({ hardState: hard(2, 1, 12), entries: entries(10, 15, 2) });
      await first.saveSnapshot(snapshot(3, 1), chunks("three"));
      await first.close();
      const store = await fixture.openSparingly();
      const { replay, entries: held } = store.recovered;
      const replayed: LogEntry[] = [];
      for await (const some of replay?.entries() ?? []) replayed.push(...some);
      expect(replay?.last).toMatchObject({ index: 12, term: 2 });
      expect(replayed).toEqual([...entries(4, 9, 1), ...entries(10, 12, 2)]);
      expect(held).toEqual(entries(13, 15, 2));
      store.releaseRecovered();
      await store.append({ hardState: hard(2, 1, 15), entries: entries(16, 16, 2) });
      await store.close();
      const again = await fixture.open();
      expect(visible(again)).toEqual(expected(entries(4, 9, 1), entries(10, 16, 2)));
      await again.close();
    });

    durabilityTest("a snapshot may be empty or large", async (open, again) => {
      let store = await open();
      await store.append({ hardState: hard(1, 1, 2), entries: entries(1, 2, 1) });
      await store.saveSnapshot(snapshot(1, 1), chunks());
      expect(await readText(store)).toBe("");
      const large = "0123456789abcdef".repeat(50_000);
      await store.saveSnapshot(snapshot(2, 1), chunks(large.slice(0, 300_001), large.slice(300_001)));
      store = await again(store);
      expect(await readText(store)).toBe(large);
      await store.close();
    });

    durabilityTest("compaction keeps what comes after the index", async (open, again) => {
      let store = await open();
      for (let index = 1; index <= 60; index++) await store.append({ hardState: hard(1, 1, index), entries: [entry(index, 1)] });
      await store.saveSnapshot(snapshot(50, 1), chunks("fifty"));
      await store.compact(45);
      store = await again(store);
      const { entries: kept, snapshot: found } = store.recovered;
      expect(found).toEqual(snapshot(50, 1));
      expect(kept[0]?.index ?? 0).toBeLessThanOrEqual(46);
      expect(visible(store)).toEqual(expected(entries(51, 60, 1)));
      await store.append({ hardState: hard(2), entries: entries(61, 62, 2) });
      store = await again(store);
      expect(visible(store)).toEqual(expected(entries(51, 60, 1), entries(61, 62, 2)));
      await store.close();
    });

    durabilityTest("a received snapshot is in force only when it is installed, and drops the log", async (open, again) => {
      let store = await open();
      await store.append({ hardState: hard(1, 1, 2), entries: entries(1, 5, 1) });
      await store.receiveSnapshot(snapshot(20, 3), chunks("received"));
      expect(await store.readSnapshot()).toBeNull();
      await store.installSnapshot(snapshot(20, 3), hard(4, 2, 20));
      expect(await readText(store)).toBe("received");
      await store.append({ hardState: null, entries: entries(21, 22, 4) });
      store = await again(store);
      expect(store.recovered.hardState).toEqual(hard(4, 2, 20));
      expect(store.recovered.snapshot).toEqual(snapshot(20, 3));
      expect(visible(store)).toEqual(expected(entries(21, 22, 4)));
      expect(store.recovered.entries[0]?.index).toBe(21);
      expect(await readText(store)).toBe("received");
      await store.close();
    });

    durabilityTest("a received snapshot that is not installed leaves nothing", async (open, again) => {
      let store = await open();
      await store.append({ hardState: hard(1), entries: entries(1, 2, 1) });
      await store.receiveSnapshot(snapshot(9, 1), chunks("nine"));
      await store.receiveSnapshot(snapshot(10, 1), chunks("ten"));
      await store.discardSnapshot(snapshot(10, 1));
      await store.discardSnapshot(snapshot(11, 1));
      await expect(store.installSnapshot(snapshot(10, 1), null)).rejects.toThrow(/10/);
      store = await again(store);
      expect(store.recovered.snapshot).toBeNull();
      expect(visible(store)).toEqual(expected(entries(1, 2, 1)));
      await store.close();
    });

    durabilityTest("a quarantine is there, with the evidence that came first", async (open, again) => {
      let store = await open();
      const first = { kind: "commit_beyond_log", commit: 9, lastIndex: 2, from: 3 } as const;
      const second = { kind: "conflicts_with_committed", index: 1, term: 4, from: 2 } as const;
      await store.append({ hardState: hard(1, 1, 2), entries: entries(1, 2, 1) });
      await Promise.all([store.recordQuarantine(first), store.recordQuarantine(second)]);
      store = await again(store);
      expect(store.recovered.quarantine).toEqual(first);
      expect(visible(store)).toEqual(expected(entries(1, 2, 1)));
      await store.recordQuarantine(second);
      store = await again(store);
      expect(store.recovered.quarantine).toEqual(first);
      await store.close();
    });

    durabilityTest("a quarantine may have been found on the disk, and told of in any words", async (open, again) => {
      let store = await open();
      const evidence = { kind: "storage", description: "sector 7 of “wal”\n \u0000 is\r\nunreadable\n" } as const;
      await store.recordQuarantine(evidence);
      store = await again(store);
      expect(store.recovered.quarantine).toEqual(evidence);
      await store.close();
    });

    storeTest("an install is ordered with the appends around it", async (fixture) => {
      let store = await fixture.open();
      await store.receiveSnapshot(snapshot(7, 2), chunks("seven"));
      await Promise.all([
        store.append({ hardState: hard(2), entries: entries(1, 3, 2) }),
        store.installSnapshot(snapshot(7, 2), hard(2, 0, 7)),
        store.append({ hardState: null, entries: entries(8, 9, 2) }),
      ]);
      await store.close();
      store = await fixture.open();
      expect(store.recovered.snapshot?.index).toBe(7);
      expect(store.recovered.entries).toEqual(entries(8, 9, 2));
      await store.close();
    });

    storeTest("a snapshot that is being read outlives a newer one and a compaction", async (fixture) => {
      const store = await fixture.open();
      await store.append({ hardState: hard(1, 1, 4), entries: entries(1, 4, 1) });
      await store.saveSnapshot(snapshot(2, 1), chunks("two"));
      const reader = await store.readSnapshot();
      await store.saveSnapshot(snapshot(4, 1), chunks("four"));
      await store.compact(4);
      expect(reader?.meta).toEqual(snapshot(2, 1));
      let text = "";
      for await (const chunk of reader?.chunks() ?? []) text += new TextDecoder().decode(chunk);
      expect(text).toBe("two");
      await reader?.close();
      await reader?.close();
      expect(await readText(store)).toBe("four");
      await store.close();
    });

    storeTest("a snapshot source that fails leaves the one before in force", async (fixture) => {
      const store = await fixture.open();
      await store.append({ hardState: hard(1, 1, 3), entries: entries(1, 3, 1) });
      await store.saveSnapshot(snapshot(1, 1), chunks("one"));
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(10);
        throw new Error("the sender went away");
      }
      await expect(store.saveSnapshot(snapshot(2, 1), broken())).rejects.toThrow("the sender went away");
      await expect(store.receiveSnapshot(snapshot(9, 1), broken())).rejects.toThrow("the sender went away");
      expect(await readText(store)).toBe("one");
      await store.append({ hardState: null, entries: entries(4, 4, 1) });
      await store.saveSnapshot(snapshot(3, 1), chunks("three"));
      expect(await readText(store)).toBe("three");
      await store.close();
    });

    storeTest("closing waits for what is under way, may be repeated, and ends all calls", async (fixture) => {
      let store = await fixture.open();
      const appended = store.append({ hardState: hard(1), entries: entries(1, 1, 1) });
      await Promise.all([store.close(), store.close()]);
      await appended;
      await expect(store.append({ hardState: null, entries: entries(2, 2, 1) })).rejects.toThrow(/closed/);
      await expect(store.saveSnapshot(snapshot(1, 1), chunks())).rejects.toThrow(/closed/);
      await expect(store.compact(0)).rejects.toThrow(/closed/);
      await expect(store.recordQuarantine({ kind: "storage", description: "late" })).rejects.toThrow(/closed/);
      store = await fixture.open();
      expect(visible(store)).toEqual(expected(entries(1, 1, 1)));
      await store.close();
    });
  });
}
