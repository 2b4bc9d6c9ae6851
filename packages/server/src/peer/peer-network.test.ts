import { encodePeerFrame, type Hello } from "@raftkv/api";
import { type AppendEntries, type Heartbeat, type InstallSnapshot, type NodeId, type PeerMessage, votersOnly } from "@raftkv/raft-core";
import type { Logger, PeerTransportHandlers } from "@raftkv/raft-node";
import { Channel, Dispatcher, type RpcError, RpcServer } from "@raftkv/raft-rpc";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Member, MemberDirectory } from "../cluster/member-directory.ts";
import { MemberStores } from "../cluster/member-stores.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { MemoryNetwork } from "../testing/memory-network.ts";
import { helloTo } from "./peer-identity.ts";
import { PeerNetwork, peerLimits } from "./peer-network.ts";

const port = 2380;
/** What went wrong inside a member. */
const failures: unknown[] = [];
const logger: Logger = { debug() {}, info() {}, warn() {}, error: (message, fields) => failures.push({ message, fields }) };
const random = { below: (limit: number) => Math.floor(limit / 2), bytes: (count: number) => new Uint8Array(count) };

/** What a member was told, in order. */
class Recorder implements PeerTransportHandlers {
  readonly messages: PeerMessage[] = [];
  readonly snapshots: { readonly index: number; readonly text: string }[] = [];
  readonly unreachable: NodeId[] = [];
  readonly down: NodeId[] = [];
  readonly lostStores: NodeId[] = [];

  onMessage(message: PeerMessage): void {
    this.messages.push(message);
  }

  async onSnapshot(message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let text = "";
    for await (const chunk of chunks) text += new TextDecoder().decode(chunk);
    this.snapshots.push({ index: message.snapshot.index, text });
  }

  onUnreachable(peer: NodeId): void {
    this.unreachable.push(peer);
  }

  onPeerDown(peer: NodeId): void {
    this.down.push(peer);
  }

  onStoreLost(peer: NodeId): void {
    this.lostStores.push(peer);
  }
}

interface Peer {
  readonly transport: PeerNetwork;
  readonly server: RpcServer;
  readonly heard: Recorder;
  readonly directory: MemberDirectory;
}

let clock = new ManualClock();
let network = new MemoryNetwork(clock);

beforeEach(() => {
  clock = new ManualClock();
  network = new MemoryNetwork(clock);
});

afterEach(() => {
  if (failures.length > 0) throw new AggregateError(failures.splice(0), "Something went wrong inside a member");
});

function founders(): readonly Member[] {
  return [1n, 2n, 3n].map((id) => ({ id, name: "", peerUrls: [`http://n${id}:${port}`], clientUrls: [], storeId: 0n }));
}

function identityOf(id: bigint): { clusterId: bigint; memberId: bigint; name: string; storeId: bigint } {
  return { clusterId: 9n, memberId: id, name: `n${id}`, storeId: id * 11n };
}

async function start(id: bigint, storeId = identityOf(id).storeId): Promise<Peer> {
  const directory = new MemberDirectory(founders());
  const heard = new Recorder();
  const ownNetwork = network.portOf(`n${id}`);
  const transport = new PeerNetwork({
    self: { ...identityOf(id), storeId },
    directory,
    stores: new MemberStores(directory),
    network: ownNetwork,
    clock,
    random,
    logger,
    electionMs: 1_000,
    heartbeatMs: 100,
  });
  const dispatcher = new Dispatcher();
  transport.register(dispatcher);
  const server = new RpcServer({ dispatcher, clock, limits: peerLimits, onHandlerError: (_path, error) => failures.push(error) });
  await ownNetwork.listen({ host: "", port }, (connection) => server.accept(connection));
  transport.start(heard);
  return { transport, server, heard, directory };
}

/** Two of three members that have found each other. */
async function startPair(): Promise<readonly [Peer, Peer]> {
  const pair = [await start(1n), await start(2n)] as const;
  await clock.run(1_000);
  return pair;
}

function heartbeat(from: NodeId, to: NodeId, readPosition: number): Heartbeat {
  return { type: "heartbeat", from, to, term: 1, commit: 0, readPosition };
}

function append(from: NodeId, to: NodeId, prevIndex: number, bytes: number): AppendEntries {
  const entries = [{ index: prevIndex + 1, term: 1, kind: "command" as const, data: new Uint8Array(bytes) }];
  return { type: "appendEntries", from, to, term: 1, prevIndex, prevTerm: 1, commit: 0, entries };
}

describe("messages between members", () => {
  test("arrive where they are addressed to, the urgent ones first, and in order otherwise", async () => {
    const [first, second] = await startPair();
    const messages = [append(1, 2, 1, 10), heartbeat(1, 2, 1), append(1, 2, 2, 10), heartbeat(1, 2, 2), heartbeat(1, 3, 3)];
    first.transport.send(messages);
    await clock.run();
    expect(second.heard.messages).toEqual([messages[1], messages[3], messages[0], messages[2]]);
    second.transport.send([heartbeat(2, 1, 4)]);
    await clock.run();
    expect(first.heard.messages).toEqual([heartbeat(2, 1, 4)]);
  });

  test("that are urgent get through to a peer that takes no more bulk", async () => {
    network.connectionBytesMax = 200_000;
    const [first, second] = await startPair();
    for (let index = 1; first.heard.unreachable.length === 0; index += 1) {
      expect(index).toBeLessThan(20);
      first.transport.send([append(1, 2, index, 4_000_000)]);
      await clock.run();
    }
    second.heard.messages.length = 0;
    first.transport.send([append(1, 2, 20, 10), heartbeat(1, 2, 1)]);
    await clock.run();
    expect(second.heard.messages).toEqual([heartbeat(1, 2, 1)]);
    expect(first.heard.unreachable).toEqual([2, 2]);
    expect(first.heard.down).toEqual([]);
  });

  test("to a member that is not connected are dropped, and only bulk is reported as lost", async () => {
    const [first] = await startPair();
    first.transport.send([heartbeat(1, 3, 1)]);
    expect(first.heard.unreachable).toEqual([]);
    first.transport.send([append(1, 3, 1, 10)]);
    expect(first.heard.unreachable).toEqual([3]);
  });

  test("are counted by peer: what was sent, what came, what could not be sent, and streams that were lost", async () => {
    const [first, second] = await startPair();
    first.transport.send([append(1, 2, 1, 1_000), heartbeat(1, 3, 1)]);
    await clock.run();
    const [toSecond, toThird] = first.transport.figures;
    expect(toSecond).toMatchObject({ id: 2n, isConnected: true, traffic: { receivedBytes: 0, sendFailures: 0, disconnects: 0 } });
    expect(toSecond?.traffic.sentBytes).toBeGreaterThan(1_000);
    expect(second.transport.figures[0]).toMatchObject({ id: 1n, traffic: { sentBytes: 0, receivedBytes: toSecond?.traffic.sentBytes } });
    expect(toSecond?.traffic.roundTrips.counts.every((count) => count === 0)).toBe(true);
    await clock.run(10_000);
    const answered = first.transport.figures.map(({ traffic }) => traffic.roundTrips.counts.reduce((sum, count) => sum + count));
    expect(answered).toEqual([2, 0]);
    expect(toThird).toMatchObject({ id: 3n, isConnected: false, traffic: { sentBytes: 0, sendFailures: 1 } });
    network.crash("n2");
    await clock.run();
    expect(first.transport.figures[0]).toMatchObject({ isConnected: false, traffic: { disconnects: 2 } });
  });
});

describe("a peer", () => {
  test("that dies is reported at once, and once although it takes both lanes with it", async () => {
    const [first] = await startPair();
    network.crash("n2");
    await clock.run();
    expect(first.heard.down).toEqual([2]);
    expect(first.heard.unreachable).toEqual([2]);
    await clock.run(10_000);
    expect(first.heard.down).toEqual([2]);
  });

  test("that came back and dies again is reported again", async () => {
    const [first] = await startPair();
    network.crash("n2");
    await clock.run(1_000);
    const again = await start(2n);
    await clock.run(2_000);
    first.transport.send([heartbeat(1, 2, 1), append(1, 2, 1, 10)]);
    await clock.run();
    expect(again.heard.messages).toHaveLength(2);
    network.crash("n2");
    await clock.run();
    expect(first.heard.down).toEqual([2, 2]);
  });

  test("that lost its power, and so reset nothing, is found on both idle lanes and connected anew", async () => {
    const [first] = await startPair();
    network.powerOff("n2");
    await clock.run(500);
    expect(first.heard.down).toEqual([]);
    const again = await start(2n);
    await clock.run(6_000);
    expect(first.heard.down).toEqual([2]);
    first.transport.send([heartbeat(1, 2, 1), append(1, 2, 1, 10)]);
    await clock.run();
    expect(again.heard.messages).toHaveLength(2);
  });

  test("that lost its power before it answered our Hello is connected anew", async () => {
    const first = await start(1n);
    await network.portOf("n2").listen({ host: "", port }, () => undefined);
    await clock.run(1_000);
    const second = await start(2n);
    await clock.run(6_000);
    first.transport.send([heartbeat(1, 2, 1), append(1, 2, 1, 10)]);
    await clock.run();
    expect(second.heard.messages).toHaveLength(2);
  });

  test("that answers pings but says no Hello is greeted again and again", async () => {
    let greetings = 0;
    const dispatcher = new Dispatcher();
    dispatcher.addStream("/raftkv.peer.v1.RaftPeer/Exchange", () => {
      greetings += 1;
    });
    const mute = new RpcServer({ dispatcher, clock, limits: peerLimits });
    await network.portOf("n2").listen({ host: "", port }, (connection) => mute.accept(connection));
    await start(1n);
    await clock.run(1_000);
    expect(greetings).toBe(2);
    await clock.run(19_900);
    expect(greetings).toBe(2 * 10);
  });

  test("that is only idle stays connected", async () => {
    const [first, second] = await startPair();
    await clock.run(60_000);
    expect([first.heard.down, second.heard.down]).toEqual([[], []]);
    first.transport.send([heartbeat(1, 2, 1), append(1, 2, 1, 10)]);
    await clock.run();
    expect(second.heard.messages).toHaveLength(2);
    expect(first.heard.unreachable).toEqual([]);
  });

  test("that stops in order is reported too", async () => {
    const [first, second] = await startPair();
    await Promise.all([second.server.close(0), clock.run(100)]);
    expect(first.heard.down).toEqual([2]);
  });

  test("that refuses what it is sent lives, and is spoken to again", async () => {
    const [first, second] = await startPair();
    first.transport.send([append(3, 2, 1, 10), heartbeat(3, 2, 1)]);
    await clock.run();
    expect(first.heard.unreachable).toEqual([2]);
    expect(first.heard.down).toEqual([]);
    expect(second.heard.messages).toEqual([]);
    await clock.run(1_000);
    first.transport.send([append(1, 2, 1, 10), heartbeat(1, 2, 1)]);
    await clock.run();
    expect(second.heard.messages).toHaveLength(2);
  });

  test("is not reported by a member that closes itself", async () => {
    const [first] = await startPair();
    await Promise.all([first.transport.close(), clock.run()]);
    await clock.run(1_000);
    expect(first.heard.down).toEqual([]);
    expect(first.heard.unreachable).toEqual([]);
  });
});

describe("a peer with another store", () => {
  /** The cluster learns that this member has a store that nobody has seen. */
  function replaceStore({ directory }: Peer, member: bigint): void {
    directory.setAttributes(member, { name: "", clientUrls: [], storeId: 99n });
  }

  test("is reported when it comes back, and only by those who knew it", async () => {
    const [first] = await startPair();
    network.crash("n2");
    await clock.run(1_000);
    expect(first.heard.lostStores).toEqual([]);
    const again = await start(2n, 99n);
    await clock.run(2_000);
    expect(new Set(first.heard.lostStores)).toEqual(new Set([2]));
    again.transport.send([heartbeat(2, 1, 4)]);
    await clock.run(100);
    expect([first.heard.messages, again.heard.lostStores]).toEqual([[], []]);
  });

  test("is reported once for each refusal of what it sends", async () => {
    const [first, second] = await startPair();
    replaceStore(first, 2n);
    second.transport.send([heartbeat(2, 1, 4)]);
    await clock.run();
    expect([first.heard.messages, first.heard.lostStores]).toEqual([[], [2]]);
  });

  test("is reported once for each refusal to send it anything", async () => {
    const [first, second] = await startPair();
    replaceStore(first, 2n);
    first.transport.send([heartbeat(1, 2, 4)]);
    await clock.run();
    expect([second.heard.messages, first.heard.lostStores]).toEqual([[], [2]]);
  });
});

describe("a snapshot", () => {
  const message: InstallSnapshot = {
    type: "installSnapshot",
    from: 1,
    to: 2,
    term: 3,
    snapshot: { index: 7, term: 3, configuration: { ...votersOnly([1, 2]), learners: [3] } },
  };

  async function* chunks(): AsyncIterable<Uint8Array> {
    yield new TextEncoder().encode("the ");
    yield new TextEncoder().encode("state");
  }

  test("arrives whole at a peer that is connected", async () => {
    const [first, second] = await startPair();
    await Promise.all([first.transport.sendSnapshot(message, 9, chunks()), clock.run(100)]);
    expect(second.heard.snapshots).toEqual([{ index: 7, text: "the state" }]);
  });

  test("from a leader with another store is refused, and the store reported", async () => {
    const [first, second] = await startPair();
    second.directory.setAttributes(1n, { name: "", clientUrls: [], storeId: 99n });
    const [sent] = await Promise.allSettled([first.transport.sendSnapshot(message, 9, chunks()), clock.run(100)]);
    expect(sent).toMatchObject({ status: "rejected", reason: { message: expect.stringMatching(/another store than the cluster knows/) } });
    expect([second.heard.snapshots, second.heard.lostStores]).toEqual([[], [1]]);
  });

  test("is not sent to a member that has not said who it is", async () => {
    const [first] = await startPair();
    await expect(first.transport.sendSnapshot({ ...message, to: 3 }, 9, chunks())).rejects.toThrow(/is not connected$/);
  });
});

describe("a stream of a stranger", () => {
  /** How the second member ends a stream that begins with these frames. */
  async function answerTo(frames: readonly Uint8Array[]): Promise<RpcError | null | undefined> {
    let closed: RpcError | null | undefined;
    await startPair();
    const channel = new Channel({ connect: () => network.portOf("n3").connect({ host: "n2", port }, 1), authority: "n2", clock });
    const stream = channel.stream("/raftkv.peer.v1.RaftPeer/Exchange", {
      onMetadata: () => undefined,
      onMessage: () => undefined,
      onDrain: () => undefined,
      onClose: (error) => {
        closed = error;
      },
    });
    for (const frame of frames) stream.send(frame);
    await clock.run();
    return closed;
  }

  const helloFrame = (lane: Hello["lane"]): Uint8Array => encodePeerFrame({ type: "hello", hello: helloTo(identityOf(3n), 2n, lane) });

  test.each(["urgent", "bulk"] as const)("for the %s lane is welcome", async (lane) => {
    expect(await answerTo([helloFrame(lane), encodePeerFrame({ type: "batch", messages: [heartbeat(3, 2, 1), append(3, 2, 1, 1)] })])).toBe(
      undefined,
    );
  });

  test.each([
    ["is for a snapshot", [helloFrame("snapshot")], /lane mismatch: a stream for snapshot came, expected is urgent or bulk/],
    ["says Hello twice", [helloFrame("bulk"), helloFrame("bulk")], /a second Hello came/],
    ["does not say Hello", [encodePeerFrame({ type: "batch", messages: [] })], /the first frame must be a Hello/],
    ["is not written as one", [new Uint8Array([0xff])], /malformed peer frame/],
    [
      "brings a snapshot's message without its state",
      [helloFrame("bulk"), encodePeerFrame({ type: "batch", messages: [{ ...snapshotMessage(), from: 3, to: 2 }] })],
      /a installSnapshot from 3 to 2 does not belong on this stream/,
    ],
  ])("that %s is ended", async (_what, frames, sentence) => {
    expect((await answerTo(frames))?.message).toMatch(sentence);
  });
});

function snapshotMessage(): Omit<InstallSnapshot, "from" | "to"> {
  return { type: "installSnapshot", term: 1, snapshot: { index: 1, term: 1, configuration: votersOnly([1]) } };
}
