import { etcdserverpb, fromBinary } from "@raftkv/api";
import { type Completion, NodeError } from "@raftkv/raft-node";
import { Channel, type ClientStreamCall, Dispatcher, type RpcError, RpcServer } from "@raftkv/raft-rpc";
import { describe, expect, test } from "vitest";
import { MemoryLeader } from "../../lease/testing/memory-leader.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { MemoryNetwork } from "../../testing/memory-network.ts";
import { LeaseKeepAliveStream } from "./lease-keep-alive-stream.ts";

const path = "/etcdserverpb.Lease/LeaseKeepAlive";
const port = 2379;

/** A stream to a member whose renewals the test answers. */
class Scene {
  readonly clock = new ManualClock();
  readonly renewals: { readonly id: bigint; readonly completion: Completion<number> }[] = [];
  /** What the client got, in order. */
  readonly answers: (readonly [id: bigint, ttl: number])[] = [];
  ended: RpcError | null | undefined = undefined;
  /** How often the stream said that it is over. */
  ends = 0;
  private readonly network = new MemoryNetwork(this.clock);
  private stream: ClientStreamCall | null = null;

  async open(): Promise<void> {
    const { state } = new MemoryLeader(this.clock);
    const header = (revision: number) => ({ clusterId: 1n, memberId: 2n, revision, raftTerm: 3 });
    const router = { keepAlive: (id: bigint, completion: Completion<number>) => void this.renewals.push({ id, completion }) };
    const options = { context: { header, state }, router, onOver: () => void this.ends++ };
    const dispatcher = new Dispatcher().addStream(path, (call) => new LeaseKeepAliveStream(call, options));
    const server = new RpcServer({ dispatcher, clock: this.clock });
    await this.network.portOf("server").listen({ host: "", port }, (connection) => server.accept(connection));
    const connect = () => this.network.portOf("client").connect({ host: "server", port }, 500);
    this.stream = new Channel({ connect, authority: "server", clock: this.clock }).stream(path, {
      onMetadata: () => {},
      onMessage: (bytes) => this.answers.push(answerIn(bytes)),
      onDrain: () => {},
      onClose: (error) => {
        this.ended = error;
      },
    });
  }

  async send(...ids: readonly number[]): Promise<void> {
    for (const id of ids) this.stream?.send(new Uint8Array([0x08, id]));
    await this.clock.run();
  }

  async sendBytes(...bytes: readonly number[]): Promise<void> {
    this.stream?.send(new Uint8Array(bytes));
    await this.clock.run();
  }

  async answer(at: number, ttl: number): Promise<void> {
    this.renewals[at]?.completion.succeed(ttl);
    await this.clock.run();
  }

  async fail(at: number, code: "ERR_NO_LEADER" | "ERR_TIMED_OUT"): Promise<void> {
    this.renewals[at]?.completion.fail(new NodeError(code, "safe", code));
    await this.clock.run();
  }

  async halfClose(): Promise<void> {
    this.stream?.end();
    await this.clock.run();
  }

  async cancel(): Promise<void> {
    this.stream?.cancel();
    await this.clock.run();
  }
}

function answerIn(bytes: Uint8Array): readonly [bigint, number] {
  const { header, ID, TTL } = fromBinary(etcdserverpb.LeaseKeepAliveResponseSchema, bytes);
  expect(header).toMatchObject({ clusterId: 1n, memberId: 2n, revision: 1n, raftTerm: 3n });
  return [ID, Number(TTL)];
}

describe("a keep-alive stream", () => {
  test("answers each request, in their order though a later one is done first", async () => {
    const scene = new Scene();
    await scene.open();
    await scene.send(5, 6, 5);
    expect(scene.renewals.map(({ id }) => id)).toEqual([5n, 6n, 5n]);
    await scene.answer(1, 0);
    expect(scene.answers).toEqual([]);
    await scene.answer(0, 10);
    await scene.answer(2, 10);
    expect(scene.answers).toEqual([
      [5n, 10],
      [6n, 0],
      [5n, 10],
    ]);
    expect(scene.ended).toBeUndefined();
  });

  test("ends well when the client has said its last and everything is answered", async () => {
    const scene = new Scene();
    await scene.open();
    await scene.send(5);
    await scene.halfClose();
    expect(scene.ended).toBeUndefined();
    await scene.answer(0, 10);
    expect(scene.answers).toEqual([[5n, 10]]);
    expect(scene.ended).toBeNull();
    expect(scene.ends).toBe(1);
  });

  test.each([
    ["ERR_NO_LEADER", 14, "etcdserver: no leader"],
    ["ERR_TIMED_OUT", 14, "etcdserver: request timed out"],
  ] as const)("ends with etcd's words after %s", async (code, status, message) => {
    const scene = new Scene();
    await scene.open();
    await scene.send(5, 6);
    await scene.fail(0, code);
    expect(scene.ended).toMatchObject({ code: status, message });
    await scene.answer(1, 10);
    expect(scene.answers).toEqual([]);
  });

  test("ends with what is wrong with bytes that are no request", async () => {
    const scene = new Scene();
    await scene.open();
    await scene.sendBytes(0x08);
    expect(scene.ended).toMatchObject({ code: 13, message: expect.stringMatching(/^grpc: error unmarshalling request: /) });
  });

  test("lets no more than a thousand requests wait", async () => {
    const scene = new Scene();
    await scene.open();
    for (let batch = 0; batch < 30; batch++) await scene.send(...new Array<number>(100).fill(5));
    expect(scene.renewals).toHaveLength(1_000);
    for (let at = 0; at < 3_000; at++) scene.renewals[at]?.completion.succeed(10);
    await scene.clock.run();
    for (let at = 1_000; at < 3_000; at++) scene.renewals[at]?.completion.succeed(10);
    await scene.clock.run();
    for (let at = 2_000; at < 3_000; at++) scene.renewals[at]?.completion.succeed(10);
    await scene.clock.run();
    expect(scene.answers.length).toBe(3_000);
  });

  test("sends nothing more after it was cancelled", async () => {
    const scene = new Scene();
    await scene.open();
    await scene.send(5);
    await scene.cancel();
    expect(scene.ends).toBe(1);
    await scene.answer(0, 10);
    expect(scene.answers).toEqual([]);
  });
});
