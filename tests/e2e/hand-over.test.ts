import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type ClusterMember, ProcessCluster } from "../support/process-cluster.ts";

let cluster: ProcessCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

interface Struck {
  readonly leader: ClusterMember;
  readonly survivors: readonly ClusterMember[];
}

/** Nothing but what a test does makes a member stand for election: on a busy machine one may be late by a second. */
const flags = ["--heartbeat-interval=300", "--election-timeout=3000", "--log-level=info"];

/** Three members, in step. */
async function running(): Promise<Struck> {
  cluster = await ProcessCluster.start({ size: 3, flags });
  for (const member of cluster.members) await member.process.waitForOutput("published local member");
  const leader = await cluster.leader();
  return { leader, survivors: cluster.members.filter((member) => member !== leader) };
}

/** Puts through each member in turn, one every few milliseconds, until stopped. */
class Puts {
  readonly failures: unknown[] = [];
  private readonly underWay: Promise<void>[] = [];
  private isStopping = false;
  private readonly loop: Promise<void>;

  constructor(members: readonly ClusterMember[]) {
    this.loop = this.run(members);
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.loop;
    await Promise.all(this.underWay);
  }

  private async run(members: readonly ClusterMember[]): Promise<void> {
    for (let count = 0; !this.isStopping; count++) {
      const put = members[count % members.length]?.endpoint.put(`k${count}`, "v") ?? Promise.resolve(0);
      this.underWay.push(
        put.then(
          () => {},
          (error: unknown) => void this.failures.push(error),
        ),
      );
      await pause(4);
    }
  }
}

/** Until a put is acknowledged by one of them. The first tries may go down with the old leader and have a short time. */
async function putAfterwards(members: readonly ClusterMember[]): Promise<void> {
  let tries = 0;
  await eventually(async () => {
    const count = tries++;
    await members[count % members.length]?.endpoint.put("next", `${count}`, 250 * (count + 1));
  });
}

/** Lines of an election are written a little after it. */
function expectLogged(members: readonly ClusterMember[], text: string): Promise<void> {
  return eventually(async () => expect(members.map((member) => member.process.output).join()).toContain(text));
}

describe("when the leader goes, the others take over before the election time-out", () => {
  test("told to stop, it hands over, and no write through the others fails", async () => {
    const { leader, survivors } = await running();
    const puts = new Puts(survivors);
    await pause(200);
    const { code, output } = await leader.process.end("SIGTERM");
    await pause(300);
    await puts.stop();
    expect([code, puts.failures]).toEqual([0, []]);
    expect(output).toContain('"result":"done"');
    expect((await cluster?.leader())?.name).not.toBe(leader.name);
  });

  test("killed, its connections tell", async () => {
    const { leader, survivors } = await running();
    await leader.kill();
    await putAfterwards(survivors);
    await expectLogged(survivors, '"cause":"connection_reset"');
  });

  test("stopped in its tracks, its silence tells, and it follows when it runs again", async () => {
    const { leader, survivors } = await running();
    leader.process.signal("SIGSTOP");
    try {
      await putAfterwards(survivors);
      await expectLogged(survivors, '"cause":"silence"');
    } finally {
      leader.process.signal("SIGCONT");
    }
    expect(await leader.endpoint.get("next")).not.toBeNull();
  });
});
