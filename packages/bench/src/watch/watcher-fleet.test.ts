import { create, decodeWatchRequest, etcdserverpb, toBinary } from "@raftkv/api";
import { Dispatcher, listenTcp, RpcServer, StatusCode, type StreamCall, SystemClock } from "@raftkv/raft-rpc";
import { expect, onTestFinished, test } from "vitest";
import { WatcherFleet } from "./watcher-fleet.ts";

/** A server whose watch streams confirm each watcher, and send what a test wants. */
class WatchServer {
  readonly calls: StreamCall[] = [];
  readonly keys: string[] = [];
  readonly port: number;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<WatchServer> {
    const dispatcher = new Dispatcher();
    const server = new RpcServer({ dispatcher, clock: new SystemClock() });
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => server.accept(stream));
    const started = new WatchServer(listener.address.port);
    dispatcher.addStream("/etcdserverpb.Watch/Watch", (call) => started.#serve(call));
    onTestFinished(async () => {
      listener.close();
      await server.close(0);
    });
    return started;
  }

  /** A response with so many events to each stream. */
  send(events: number, valueBytes: number, canceled = false): void {
    const kv = { key: Uint8Array.of(1), value: new Uint8Array(valueBytes) };
    const response = create(etcdserverpb.WatchResponseSchema, { canceled, events: Array.from({ length: events }, () => ({ kv })) });
    for (const call of this.calls) call.send(toBinary(etcdserverpb.WatchResponseSchema, response));
  }

  #serve(call: StreamCall): void {
    this.calls.push(call);
    call.setHandlers({
      onMessage: (bytes) => {
        const request = decodeWatchRequest(bytes);
        if (request.type === "create") this.keys.push(String.fromCharCode(...request.request.key));
        call.send(toBinary(etcdserverpb.WatchResponseSchema, create(etcdserverpb.WatchResponseSchema, { created: true })));
      },
      onEnd: () => undefined,
      onCancel: () => undefined,
      onDrain: () => undefined,
    });
  }
}

async function openFleet(server: WatchServer): Promise<WatcherFleet> {
  const keys = Array.from("abcde", (key) => Uint8Array.of(key.charCodeAt(0)));
  const fleet = await WatcherFleet.open(server.port, 2, keys);
  onTestFinished(() => fleet.close());
  return fleet;
}

test("events are counted on all streams, in small responses and in such as take many frames", async () => {
  const server = await WatchServer.start();
  const fleet = await openFleet(server);
  expect([server.calls.length, server.keys.toSorted()]).toEqual([2, ["a", "b", "c", "d", "e"]]);
  server.send(1, 10);
  server.send(500, 300);
  server.send(3, 100_000);
  await fleet.waitForEvents(2 * 504, 5000);
  expect(fleet.events).toBe(2 * 504);
});

test("a fleet waits no longer than it may for events that do not come", async () => {
  const fleet = await openFleet(await WatchServer.start());
  await fleet.waitForEvents(1, 20);
  expect(fleet.events).toBe(0);
});

test("a watcher that is cancelled, and a stream that ends, are errors", async () => {
  const server = await WatchServer.start();
  const [first, second] = [await openFleet(server), await openFleet(server)];
  server.calls[2]?.end(StatusCode.UNAVAILABLE, "stopped");
  await expect(second.waitForEvents(1, 5000)).rejects.toThrow("The watch stream ended");
  server.calls.splice(2);
  server.send(0, 0, true);
  await expect(first.waitForEvents(1, 5000)).rejects.toThrow("A watcher was cancelled");
});

test("a fleet whose server is not there can't be opened", async () => {
  const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => stream.destroy());
  listener.close();
  await expect(WatcherFleet.open(listener.address.port, 1, [])).rejects.toThrow("ECONNREFUSED");
});
