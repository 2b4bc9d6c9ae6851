import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { etcdctlProgram, RunningEtcdctl, runEtcdctl } from "../support/etcdctl.ts";
import { ProcessCluster } from "../support/process-cluster.ts";

if (etcdctlProgram === null) console.warn("etcdctl is not on the PATH (Debian package etcd-client): its tests are skipped");

function expectOutput(one: RunningEtcdctl, expected: string | RegExp): Promise<void> {
  return one.wrote(expected);
}

describe.skipIf(etcdctlProgram === null)("etcdctl watch, unchanged", () => {
  let cluster: ProcessCluster;
  const running: RunningEtcdctl[] = [];

  beforeAll(async () => {
    const flags = ["--log-level=warn", "--watch-progress-notify-interval=200ms"];
    cluster = await ProcessCluster.start({ size: 3, flags });
  });
  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop("SIGKILL");
  });
  afterAll(() => cluster.dispose());

  function run(...args: readonly string[]): Promise<string> {
    return runEtcdctl(`--endpoints=${cluster.endpoints}`, ...args);
  }

  /** At one member, by default the first. */
  function watch(args: readonly string[], endpoints = `127.0.0.1:${cluster.members[0]?.clientPort}`): RunningEtcdctl {
    const one = new RunningEtcdctl([`--endpoints=${endpoints}`, "watch", ...args]);
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
    for (const one of watches) await expectOutput(one, /^(PUT\nm\/\d\n\d+\n){12}$/);
    expect(new Set(watches.map(({ output }) => output)).size).toBe(1);
  });

  test("is told that its start is compacted, and from where on it may watch", async () => {
    for (const value of ["1", "2", "3"]) await run("put", "c", value);
    const compacted = await revision();
    await run("compaction", `${compacted}`);
    // The member that is asked has applied it.
    await cluster.members[0]?.endpoint.get("c");
    const late = watch(["c", `--rev=${compacted - 1}`]);
    await late.complained(/watch was canceled \(etcdserver: mvcc: required revision has been compacted\)/);
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
    await runEtcdctl(rest, "put", "r", "meanwhile");
    await expectOutput(resumed, "PUT\nr\nbefore\nPUT\nr\nmeanwhile\n");
    gone?.start();
    await cluster.leader();
  });
});
