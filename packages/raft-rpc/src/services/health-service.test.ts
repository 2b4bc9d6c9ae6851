import { describe, expect, test } from "vitest";
import { Channel } from "../client/channel.ts";
import { ProtobufWriter } from "../grpc/protobuf-fields.ts";
import { ascii } from "../testing/raw-peer.ts";
import { startServer } from "../testing/server-fixture.ts";
import { ServingStatus } from "./health-messages.ts";
import { HealthService } from "./health-service.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;
const path = (method: string): string => `/grpc.health.v1.Health/${method}`;
const request = (service: string): Uint8Array => new ProtobufWriter().text(1, service).finish();
const response = (status: ServingStatus): Uint8Array => Uint8Array.of(8, status);

function startHealth() {
  const fixture = startServer();
  const health = new HealthService().addTo(fixture.dispatcher);
  const channel = new Channel({ connect: fixture.connect, authority: "test", clock: fixture.clock });
  const unary = async (method: string, message: Uint8Array): Promise<unknown> => {
    const answer = channel.unary(path(method), message).catch((error: unknown) => error);
    await fixture.clock.settleAsync();
    return answer;
  };
  /** Writes down the statuses that come. */
  const watch = (service: string) => {
    const seen: (number | undefined)[] = [];
    const call = channel.stream(path("Watch"), {
      onMetadata: () => {},
      onMessage: (message) => seen.push(message[1]),
      onDrain: () => {},
      onClose: () => {},
    });
    call.send(request(service));
    call.end();
    return { seen, call };
  };
  return { ...fixture, health, unary, watch };
}

describe("Check", () => {
  test("tells the status of the server and of services that were spoken of", async () => {
    const { health, unary } = startHealth();
    health.setStatus("a.B", NOT_SERVING);
    expect(await unary("Check", new Uint8Array(0))).toEqual(response(SERVING));
    expect(await unary("Check", request("a.B"))).toEqual(response(NOT_SERVING));
    expect(await unary("Check", request("a.C"))).toMatchObject({ code: 5, message: "unknown service" });
  });

  test("of bytes that are no request gets INTERNAL", async () => {
    const { unary } = startHealth();
    expect(await unary("Check", ascii("\xff"))).toMatchObject({ code: 13 });
  });

  test("says NOT_SERVING of everything once the server is about to close", async () => {
    const { health, unary } = startHealth();
    health.setStatus("a.B", SERVING);
    health.shutDown();
    health.setStatus("a.B", SERVING);
    expect(await unary("Check", request("a.B"))).toEqual(response(NOT_SERVING));
    expect(await unary("Check", request(""))).toEqual(response(NOT_SERVING));
  });
});

describe("List", () => {
  test("tells the status of all services", async () => {
    const { health, unary } = startHealth();
    health.setStatus("a.B", NOT_SERVING);
    const expected = Uint8Array.of(10, 4, 0x12, 2, 8, SERVING, 10, 9, 10, 3, ...ascii("a.B"), 0x12, 2, 8, NOT_SERVING);
    expect(await unary("List", new Uint8Array(0))).toEqual(expected);
  });

  test("of more than a hundred is refused", async () => {
    const { health, unary } = startHealth();
    for (let count = 0; count < 100; count++) health.setStatus(`s${count}`, SERVING);
    expect(await unary("List", new Uint8Array(0))).toMatchObject({ code: 8 });
  });
});

describe("Watch", () => {
  test("tells the status at once and whenever it changes, also of a service that comes later", async () => {
    const { clock, health, watch } = startHealth();
    const { seen } = watch("a.B");
    await clock.settleAsync();
    expect(seen).toEqual([SERVICE_UNKNOWN]);
    for (const status of [SERVING, SERVING, NOT_SERVING, SERVING]) {
      health.setStatus("a.B", status);
      health.setStatus("a.Other", status);
      await clock.settleAsync();
    }
    expect(seen).toEqual([SERVICE_UNKNOWN, SERVING, NOT_SERVING, SERVING]);
    health.shutDown();
    await clock.settleAsync();
    expect(seen.at(-1)).toBe(NOT_SERVING);
  });

  test("is forgotten when its client leaves", async () => {
    const { clock, health, watch, server } = startHealth();
    const { call, seen } = watch("a.B");
    const { seen: others } = watch("a.B");
    await clock.settleAsync();
    call.cancel();
    await clock.settleAsync();
    health.setStatus("a.B", SERVING);
    await clock.settleAsync();
    expect([seen, others, server.counters.streamsOpen]).toEqual([[SERVICE_UNKNOWN], [SERVICE_UNKNOWN, SERVING], 1]);
  });

  test("of a client that does not read skips to the last status", async () => {
    const { clock, health, startedPeer } = startHealth();
    // A window of one message of 2 bytes, prefix included.
    const peer = startedPeer([[4, 7]]);
    peer.send(...peer.unary(1, path("Watch"), request("a.B")));
    clock.settle();
    for (let count = 0; count < 20_000; count++) health.setStatus("a.B", count % 2 === 0 ? SERVING : NOT_SERVING);
    clock.settle();
    expect(peer.dataBytes(1)).toBe(7);
    // A mebibyte for the stream and for the connection.
    for (const streamId of [1, 0]) peer.send(Uint8Array.of(0, 0, 4, 8, 0, 0, 0, 0, streamId, 0, 16, 0, 0));
    clock.settle();
    expect(peer.ofStream(1).at(-1)?.payload.at(-1)).toBe(NOT_SERVING);
    expect(peer.status(1)).toBe(null);
  });
});
