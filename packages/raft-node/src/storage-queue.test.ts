import { type AppendJob, type LogEntry, type SnapshotMeta, votersOnly } from "@raftkv/raft-core";
import { describe, expect, test } from "vitest";
import type { LogStore } from "./log-store.ts";
import { StorageQueue } from "./storage-queue.ts";

const entry = (index: number): LogEntry => ({ index, term: 1, kind: "command", data: new Uint8Array(1) });
const meta = (index: number): SnapshotMeta => ({ index, term: 1, configuration: votersOnly([1, 2, 3]) });

function job(parts: Partial<AppendJob>): AppendJob {
  const acknowledges = { term: 1, lastIndex: 1, lastTerm: 1, snapshot: null };
  return { hardState: null, entries: [], snapshot: null, messages: [], mustSync: true, acknowledges, ...parts };
}

/** Work that ends when the test says so. */
class Gate {
  readonly begun: string[] = [];
  private readonly open = new Map<string, { readonly end: () => void; readonly fail: (error: Error) => void }>();

  begin(name: string): Promise<void> {
    this.begun.push(name);
    return new Promise((end, fail) => this.open.set(name, { end, fail }));
  }

  async end(name: string): Promise<void> {
    this.open.get(name)?.end();
    await settle();
  }

  async fail(name: string, error: Error): Promise<void> {
    this.open.get(name)?.fail(error);
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

function fixture() {
  const disk = new Gate();
  const machine = new Gate();
  const failures: Error[] = [];
  const commits: (number | null)[] = [];
  const logStore: Pick<LogStore, "append" | "installSnapshot"> = {
    append: ({ hardState, entries }) => {
      commits.push(hardState?.commit ?? null);
      return disk.begin(`append ${entries.map(({ index }) => index).join()}`);
    },
    installSnapshot: ({ index }) => disk.begin(`install ${index}`),
  };
  const queue = new StorageQueue({
    logStore,
    restore: ({ index }) => machine.begin(`restore ${index}`),
    onDone: () => {},
    onFailure: (error) => failures.push(error),
  });
  const done = (): AppendJob[] => {
    const jobs: AppendJob[] = [];
    queue.takeDone((one) => jobs.push(one));
    return jobs;
  };
  return { disk, machine, failures, commits, queue, done };
}

describe("the storage queue", () => {
  test("hands jobs back in order, also those that store nothing", async () => {
    const { disk, queue, done } = fixture();
    const [first, empty, second] = [job({ entries: [entry(1)] }), job({ mustSync: false }), job({ entries: [entry(2)] })];
    for (const one of [first, empty, second]) queue.add(one);
    expect(disk.begun).toEqual(["append 1", "append 2"]);
    await disk.end("append 2");
    expect(done()).toEqual([]);
    await disk.end("append 1");
    expect(done()).toEqual([first, empty, second]);
  });

  test("tells the log at once and the state machine one snapshot after the other", async () => {
    const { disk, machine, queue, done } = fixture();
    const [first, second] = [job({ snapshot: meta(200) }), job({ snapshot: meta(300), entries: [entry(301)] })];
    queue.add(first);
    queue.add(second);
    queue.add(job({ entries: [entry(302)] }));
    expect(disk.begun).toEqual(["install 200", "install 300", "append 301", "append 302"]);
    for (const name of disk.begun) await disk.end(name);
    expect(machine.begun).toEqual(["restore 200"]);
    await machine.end("restore 200");
    expect(machine.begun).toEqual(["restore 200", "restore 300"]);
    expect(done()).toEqual([first]);
    await machine.end("restore 300");
    expect(done()).toHaveLength(2);
  });

  test("does not touch the state machine before the snapshot is in force, and tells of a failure", async () => {
    const { disk, machine, failures, queue, done } = fixture();
    queue.add(job({ snapshot: meta(200) }));
    await settle();
    expect(machine.begun).toEqual([]);
    const reason = new Error("The disk is gone");
    await disk.fail("install 200", reason);
    expect(failures).toEqual([reason]);
    expect([machine.begun, done()]).toEqual([[], []]);
    await queue.idle();
  });
});

test("a commit index that needs no sync of its own goes with the next one", () => {
  const { queue, commits } = fixture();
  const known = (commit: number) => ({ term: 1, vote: 1, commit });
  queue.add(job({ hardState: known(1), mustSync: false }));
  queue.add(job({ hardState: known(2), mustSync: false }));
  queue.add(job({ entries: [entry(3)] }));
  queue.add(job({ entries: [entry(4)] }));
  queue.add(job({ hardState: known(3), mustSync: false }));
  queue.add(job({ hardState: known(4), entries: [entry(5)] }));
  expect(commits).toEqual([2, null, 4]);
});
