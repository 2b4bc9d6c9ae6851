import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { ProcessCluster } from "../support/process-cluster.ts";
import { findProgram } from "../support/program.ts";

const etcdctl = findProgram("etcdctl");
if (etcdctl === null) console.warn("etcdctl is not on the PATH (Debian package etcd-client): its tests are skipped");

const environment = { ...process.env, ETCDCTL_API: "3" };

/** An `etcdctl watch` that goes on until it is told to stop. */
class RunningWatch {
  output = "";
  private readonly child: ChildProcess;

  constructor(args: readonly string[]) {
    this.child = spawn(etcdctl ?? "", args, { env: environment, stdio: ["pipe", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        this.output += chunk;
      });
    }
  }

  /** For `--interactive`. */
  type(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = once(this.child, "close");
    this.child.kill("SIGKILL");
    await closed;
  }
}

/** Waits until a watch has written exactly this, or something that matches. */
async function expectOutput(watch: RunningWatch | undefined, expected: string | RegExp): Promise<void> {
  await eventually(async () => {
    const output = watch?.output ?? "";
    const isThere = typeof expected === "string" ? output === expected : expected.test(output);
    if (!isThere) throw new Error(`etcdctl did not write ${JSON.stringify(String(expected))}, but ${JSON.stringify(output)}`);
  }, 15_000);
}

describe.skipIf(etcdctl === null)("etcdctl watch, unchanged", () => {
  let cluster: ProcessCluster;
  const running: RunningWatch[] = [];

  beforeAll(async () => {
    const flags = ["--heartbeat-interval=50", "--election-timeout=500", "--log-level=warn", "--watch-progress-notify-interval=200ms"];
    cluster = await ProcessCluster.start({ size: 3, flags });
  });
  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop();
  });
  afterAll(() => cluster.dispose());

  async function run(...args: readonly string[]): Promise<string> {
    const options = { env: environment, timeout: 20_000 };
    const { stdout, stderr } = await promisify(execFile)(etcdctl ?? "", [`--endpoints=${cluster.endpoints}`, ...args], options);
    return stdout + stderr;
  }

  /** At one member, by default the first. */
  function watch(args: readonly string[], endpoints = `127.0.0.1:${cluster.members[0]?.clientPort}`): RunningWatch {
    const one = new RunningWatch([`--endpoints=${endpoints}`, "watch", ...args]);
    running.push(one);
    return one;
  }

  async function revision(): Promise<number> {
    return JSON.parse(await run("get", "nobody", "-w", "json")).header.revision;
  }

  test("shows what happened from a revision on, and what happens next", async () => {
    await run("put", "w/a", "1");
    const start = await revision();
    await run("put", "w/a", "2");
    await run("put", "w/b", "other");
    const history = watch(["w/a", `--rev=${start}`]);
    await expectOutput(history, "PUT\nw/a\n1\nPUT\nw/a\n2\n");
    await run("del", "w/a");
    await expectOutput(history, "PUT\nw/a\n1\nPUT\nw/a\n2\nDELETE\nw/a\n\n");
  });

  test("shows the keys of a prefix and of a range, with what was there before", async () => {
    await run("put", "p/a", "old");
    const start = (await revision()) + 1;
    const prefix = watch(["p/", "--prefix", "--prev-kv", `--rev=${start}`]);
    const range = watch(["p/b", "p/d", `--rev=${start}`]);
    for (const key of ["p/a", "p/b", "p/c", "p/d", "q"]) await run("put", key, `new ${key}`);
    await run("del", "p/", "--prefix");
    await expectOutput(range, "PUT\np/b\nnew p/b\nPUT\np/c\nnew p/c\nDELETE\np/b\n\nDELETE\np/c\n\n");
    const puts = "PUT\np/a\nold\np/a\nnew p/a\nPUT\np/b\nnew p/b\nPUT\np/c\nnew p/c\nPUT\np/d\nnew p/d\n";
    const deletions = ["a", "b", "c", "d"].map((name) => `DELETE\np/${name}\nnew p/${name}\np/${name}\n\n`).join("");
    await expectOutput(prefix, puts + deletions);
  });

  test("sees every write at every member, in the same order", async () => {
    const start = (await revision()) + 1;
    const watches = cluster.members.map((member) => watch(["m/", "--prefix", `--rev=${start}`], `127.0.0.1:${member.clientPort}`));
    await Promise.all(Array.from({ length: 12 }, (_, i) => run("put", `m/${i % 4}`, `${i}`)));
    const { kvs } = JSON.parse(await run("get", "m/", "--prefix", "-w", "json"));
    expect(kvs).toHaveLength(4);
    const [first, ...others] = watches;
    await expectOutput(first, /^(PUT\nm\/\d\n\d+\n){12}$/);
    for (const other of others) await expectOutput(other, first?.output ?? "");
  });

  test("is told that its start is compacted, and from where on it may watch", async () => {
    for (const value of ["1", "2", "3"]) await run("put", "c", value);
    const compacted = await revision();
    await run("compaction", `${compacted}`);
    const late = watch(["c", `--rev=${compacted - 1}`]);
    await expectOutput(late, /watch was canceled \(etcdserver: mvcc: required revision has been compacted\)/);
    await expectOutput(watch(["c", `--rev=${compacted}`]), "PUT\nc\n3\n");
  });

  test("keeps many watches in one stream, interactively", async () => {
    const interactive = watch(["--interactive"]);
    interactive.type("watch i/a");
    interactive.type("watch --prefix i/b");
    interactive.type("progress");
    await expectOutput(interactive, /progress notify: \d+\n/);
    await run("put", "i/a", "1");
    await run("put", "i/bc", "2");
    await expectOutput(interactive, /PUT\ni\/a\n1\n(.|\n)*PUT\ni\/bc\n2\n/);
  });

  test("goes on at another member when its own is gone, without a gap", async () => {
    const [gone] = await cluster.followers();
    const others = cluster.members.filter((member) => member !== gone);
    const endpoints = [gone, ...others].map((member) => `127.0.0.1:${member?.clientPort}`).join();
    const start = (await revision()) + 1;
    const resumed = watch(["r", `--rev=${start}`], endpoints);
    await run("put", "r", "before");
    await expectOutput(resumed, "PUT\nr\nbefore\n");
    await gone?.kill();
    const rest = `--endpoints=${others.map((member) => `127.0.0.1:${member.clientPort}`).join()}`;
    await promisify(execFile)(etcdctl ?? "", [rest, "put", "r", "meanwhile"], { env: environment, timeout: 20_000 });
    await expectOutput(resumed, "PUT\nr\nbefore\nPUT\nr\nmeanwhile\n");
    gone?.start();
    await cluster.leader();
  });
});
