import { encodeLeaseKeepAliveCall } from "@raftkv/api";
import { Channel, Dispatcher, type RpcError, RpcServer } from "@raftkv/raft-rpc";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Member, MemberDirectory } from "../cluster/member-directory.ts";
import { MemberStores } from "../cluster/member-stores.ts";
import { LeaseKeeper } from "../lease/lease-keeper.ts";
import { Heard } from "../lease/testing/heard.ts";
import { MemoryLeader } from "../lease/testing/memory-leader.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { MemoryNetwork } from "../testing/memory-network.ts";
import { LeaseCallService } from "./lease-call-service.ts";
import { LeaseForwarder } from "./lease-forwarder.ts";
import { helloTo } from "./peer-identity.ts";
import { peerLimits } from "./peer-network.ts";

const port = 2380;
const electionMs = 1_000;

let clock = new ManualClock();
let network = new MemoryNetwork(clock);

beforeEach(() => {
  clock = new ManualClock();
  network = new MemoryNetwork(clock);
});

function identityOf(id: bigint): { clusterId: bigint; memberId: bigint; name: string; storeId: bigint } {
  return { clusterId: 9n, memberId: id, name: `n${id}`, storeId: id * 11n };
}

function directory(): MemberDirectory {
  return new MemberDirectory([1n, 2n].map((id) => ({ id, name: "", peerUrls: [], clientUrls: [], storeId: id * 11n })));
}

function openChannel({ id }: Pick<Member, "id">): Channel {
  const connect = (): ReturnType<ReturnType<typeof network.portOf>["connect"]> =>
    network.portOf("n2").connect({ host: `n${id}`, port }, 500);
  return new Channel({ connect, authority: "peer", clock, limits: peerLimits, backOff: { initialMs: 50, maxMs: 50 } });
}

/** The clock moves only when the test lets it. */
async function close(open: { close(): Promise<void> }): Promise<void> {
  const closing = open.close();
  await clock.run();
  await closing;
}

/** Member 1, which leads, and how often it was called. */
async function startLeader() {
  const node = new MemoryLeader(clock);
  const keeper = new LeaseKeeper({ node, store: node.state.store, clock, electionMs });
  node.state.observe({ leaseChanged: (id) => keeper.changed(id) });
  node.lead();
  const calls: string[] = [];
  const dispatcher = new Dispatcher();
  new LeaseCallService({ self: identityOf(1n), stores: new MemberStores(directory()), keeper, clock }).register(dispatcher);
  const server = new RpcServer({
    dispatcher,
    clock,
    limits: peerLimits,
    interceptors: [{ observe: ({ path }) => (calls.push(path), () => undefined) }],
  });
  await network.portOf("n1").listen({ host: "", port }, (connection) => server.accept(connection));
  onTestFinished(() => keeper.stop());
  await clock.run(501);
  return { node, calls };
}

function forwarderOf(self = identityOf(2n)): LeaseForwarder {
  const forwarder = new LeaseForwarder({ self, directory: directory(), clock, openChannel, timeoutMs: electionMs });
  onTestFinished(() => close(forwarder));
  return forwarder;
}

describe("a follower", () => {
  test("renews many leases with one call to the leader, and tells each its time", async () => {
    const { node, calls } = await startLeader();
    node.grant(5n, 10);
    node.grant(-6n, 20);
    const forwarder = forwarderOf();
    const heard = [5n, -6n, 7n].map((id) => {
      const one = new Heard<number>();
      forwarder.keepAlive(1, id, one);
      return one;
    });
    await clock.run();
    expect(heard.map(({ said }) => said)).toEqual([10, 20, 0]);
    expect(calls).toEqual(["/raftkv.peer.v1.RaftPeer/LeaseKeepAlive"]);
  });

  test("asks the leader what is left of a lease", async () => {
    const { node } = await startLeader();
    node.grant(5n, 10);
    await clock.run(3_500);
    const [known, unknown] = [new Heard(), new Heard()];
    const forwarder = forwarderOf();
    forwarder.timeToLive(1, 5n, known);
    forwarder.timeToLive(1, 6n, unknown);
    await clock.run();
    expect([known.said, unknown.said]).toEqual([
      { ttl: 6, grantedTtl: 10 },
      { ttl: -1, grantedTtl: 0 },
    ]);
  });

  test("hears at once that a member does not lead", async () => {
    const { node } = await startLeader();
    node.grant(5n, 10);
    node.stepDown();
    const [renewal, question] = [new Heard<number>(), new Heard()];
    const forwarder = forwarderOf();
    forwarder.keepAlive(1, 5n, renewal);
    forwarder.timeToLive(1, 5n, question);
    await clock.run();
    expect([renewal.said, question.said]).toEqual(["not-primary", "not-primary"]);
  });

  test("is told at once of those leases that live, and to ask again about one that is being ended", async () => {
    const { node } = await startLeader();
    node.grant(5n, 10);
    node.grant(6n, 60);
    node.isAlone = true;
    await clock.run(10_501);
    // Leadership is confirmed, but nothing is committed.
    node.confirms = true;
    const [ending, living] = [new Heard<number>(), new Heard<number>()];
    const forwarder = forwarderOf();
    forwarder.keepAlive(1, 5n, ending);
    forwarder.keepAlive(1, 6n, living);
    await clock.run(250);
    expect([ending.said, living.said]).toEqual(["not-primary", 60]);
  });

  test("gives up on a leader that can't prove that it leads", async () => {
    const { node } = await startLeader();
    node.grant(5n, 10);
    const forwarder = forwarderOf();
    node.isAlone = true;
    const [renewal, question] = [new Heard<number>(), new Heard()];
    forwarder.keepAlive(1, 5n, renewal);
    forwarder.timeToLive(1, 5n, question);
    await clock.run(199);
    expect(renewal.said).toBe("waits");
    await clock.run(electionMs);
    expect([renewal.said, question.said]).toEqual(["not-primary", "not-primary"]);
  });

  test("does not wait for a leader that can't be reached, and finds it when it is back", async () => {
    const forwarder = forwarderOf();
    const before = new Heard<number>();
    forwarder.keepAlive(1, 5n, before);
    await clock.run();
    expect(before.said).toBe("not-primary");
    const { node } = await startLeader();
    node.grant(5n, 10);
    const after = new Heard<number>();
    forwarder.keepAlive(1, 5n, after);
    await clock.run();
    expect(after.said).toBe(10);
  });

  test("asks nobody who is not a member, and nobody after it was closed", async () => {
    await startLeader();
    const forwarder = forwarderOf();
    const [stranger, late] = [new Heard<number>(), new Heard<number>()];
    forwarder.keepAlive(3, 5n, stranger);
    expect(stranger.said).toBe("not-primary");
    await close(forwarder);
    forwarder.keepAlive(1, 5n, late);
    expect(late.said).toBe("not-primary");
  });
});

describe("a leader", () => {
  async function refusal(message: Uint8Array): Promise<RpcError> {
    const channel = openChannel({ id: 1n });
    onTestFinished(() => close(channel));
    let refused: RpcError | null = null;
    channel.request("/raftkv.peer.v1.RaftPeer/LeaseKeepAlive", message, (error) => {
      refused = error;
    });
    await clock.run();
    if (refused === null) throw new Error("The call was answered");
    return refused;
  }

  test.each([
    ["of another cluster", { ...identityOf(2n), clusterId: 8n }, /cluster ID mismatch/],
    ["with another store than the cluster knows", { ...identityOf(2n), storeId: 23n }, /has another store than the cluster knows/],
    ["that is not of this cluster", identityOf(3n), /is not of this cluster/],
  ])("renews nothing for a member %s", async (_what, self, sentence) => {
    const { node } = await startLeader();
    node.grant(5n, 10);
    const error = await refusal(encodeLeaseKeepAliveCall({ hello: helloTo(self, 1n, "leases"), ids: [5n] }));
    expect(error.code).toBe(9);
    expect(error.message).toMatch(sentence);
  });

  test("answers bytes that are no call with what is wrong with them", async () => {
    await startLeader();
    expect((await refusal(new Uint8Array(0))).message).toBe("malformed lease call: Lease call has no Hello");
    const bulk = encodeLeaseKeepAliveCall({ hello: helloTo(identityOf(2n), 1n, "bulk"), ids: [] });
    expect((await refusal(bulk)).message).toMatch(/lane mismatch/);
  });
});
