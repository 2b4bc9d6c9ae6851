import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Channel } from "../client/channel.ts";
import { createClient } from "../client/typed-client.ts";
import { ProtobufWriter } from "../grpc/protobuf-fields.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { StatusCode } from "../grpc/status.ts";
import { encodeStatusDetails } from "../grpc/status-details.ts";
import { Dispatcher } from "../server/dispatcher.ts";
import { RpcServer } from "../server/rpc-server.ts";
import { DescriptorRegistry } from "../services/descriptor-registry.ts";
import { ServingStatus } from "../services/health-messages.ts";
import { HealthService } from "../services/health-service.ts";
import { addReflection } from "../services/reflection-service.ts";
import { echoService } from "../testing/echo-service.ts";
import { gzip } from "./gzip.ts";
import { SystemClock } from "./system-clock.ts";
import { connectTcp, listenTcp, type TcpListener } from "./tcp.ts";

const host = "127.0.0.1";
const clock = new SystemClock();
const same = (bytes: Buffer): Buffer => bytes;
const large = "abcdefgh".repeat(50_000);
const detail = { typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: Uint8Array.of(10, 1, 0x61) };
/** grpc-js: 2 is gzip, 1 is deflate. */
const compressingOptions = { "grpc.default_compression_algorithm": 2 };

describe("grpc-js as client of our server", () => {
  const health = new HealthService();
  const dispatcher = new Dispatcher().add(echoService, {
    say(request) {
      if (request === "fail") throw new RpcError(StatusCode.ABORTED, "with details", { details: [detail] });
      return request;
    },
    async *chat(requests) {
      for await (const request of requests) yield request;
    },
  });
  health.addTo(dispatcher);
  addReflection(dispatcher, new DescriptorRegistry().add(new ProtobufWriter().text(1, "empty.proto").finish()));
  const server = new RpcServer({ dispatcher, clock, compression: gzip });
  const clients: grpc.Client[] = [];
  let listener: TcpListener;
  const connect = (options: grpc.ClientOptions = {}): grpc.Client => {
    const client = new grpc.Client(`${host}:${listener.address.port}`, grpc.credentials.createInsecure(), options);
    clients.push(client);
    return client;
  };
  const unary = (client: grpc.Client, path: string, request: Uint8Array): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, same, same, Buffer.from(request), (error, response) =>
        error === null ? resolve(response ?? Buffer.alloc(0)) : reject(error),
      );
    });

  beforeAll(async () => {
    listener = await listenTcp({ host, port: 0 }, (stream) => server.accept(stream));
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    listener.close();
    await server.close(100);
  });

  test("gzip in both directions", async () => {
    const client = connect(compressingOptions);
    const { bytesReceived, bytesSent } = server.counters;
    expect((await unary(client, "/test.Echo/Say", Buffer.from(large))).toString()).toBe(large);
    expect([server.counters.bytesReceived - bytesReceived < 10_000, server.counters.bytesSent - bytesSent < 10_000]).toEqual([true, true]);
  });

  test("gzip on a stream, with messages of all sizes in order", async () => {
    const sizes = [10, 50_000, 0, 1023, 1024, 300_000, 5];
    const seen = await new Promise<number[]>((resolve, reject) => {
      const lengths: number[] = [];
      const call = connect(compressingOptions).makeBidiStreamRequest("/test.Echo/Chat", same, same);
      call.on("data", (message: Buffer) => lengths.push(message.length));
      call.on("error", reject);
      call.on("end", () => resolve(lengths));
      for (const size of sizes) call.write(Buffer.alloc(size, "x"));
      call.end();
    });
    expect(seen).toEqual(sizes);
  });

  test("gzip between our own client and server", async () => {
    const channel = new Channel({ connect: () => connectTcp(listener.address, 2000), authority: "test", clock, compression: gzip });
    expect(await createClient(echoService, channel).say(large)).toBe(large);
    expect([channel.counters.bytesReceived < 10_000, channel.counters.bytesSent < 10_000]).toEqual([true, true]);
    await channel.close();
  });

  test("deflate, which we do not know, gets UNIMPLEMENTED", async () => {
    const client = connect({ "grpc.default_compression_algorithm": 1 });
    await expect(unary(client, "/test.Echo/Say", Buffer.from("x"))).rejects.toMatchObject({ code: 12 });
  });

  test("status details arrive as google.rpc.Status", async () => {
    const error: unknown = await unary(connect(), "/test.Echo/Say", Buffer.from("fail")).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 10, details: "with details" });
    const { metadata } = error as grpc.ServiceError;
    const expected = encodeStatusDetails(StatusCode.ABORTED, "with details", [detail]) ?? [];
    expect(metadata.get("grpc-status-details-bin")).toEqual([Buffer.from(expected)]);
  });

  test("health: Check, and Watch with what changes", async () => {
    health.setStatus("test.Echo", ServingStatus.SERVING);
    const client = connect();
    const request = Buffer.from(new ProtobufWriter().text(1, "test.Echo").finish());
    expect(await unary(client, "/grpc.health.v1.Health/Check", request)).toEqual(Buffer.of(8, 1));
    const call = client.makeServerStreamRequest("/grpc.health.v1.Health/Watch", same, same, request);
    const seen: number[] = [];
    await new Promise<void>((resolve) => {
      call.on("error", () => resolve());
      call.on("data", (message: Buffer) => {
        seen.push(message[1] ?? 0);
        if (seen.length === 1) health.setStatus("test.Echo", ServingStatus.NOT_SERVING);
        else call.cancel();
      });
    });
    expect(seen).toEqual([1, 2]);
  });

  test("reflection: the list of services", async () => {
    const call = connect().makeBidiStreamRequest("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", same, same);
    const answer = await new Promise<Buffer>((resolve, reject) => {
      call.on("error", reject);
      call.on("data", resolve);
      call.end(Buffer.from(new ProtobufWriter().text(7, "*").finish()));
    });
    for (const name of ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "test.Echo"]) {
      expect(answer.includes(name)).toBe(true);
    }
  });
});

describe("our client of a grpc-js server", () => {
  const server = new grpc.Server(compressingOptions);
  const details = Buffer.from(encodeStatusDetails(StatusCode.ABORTED, "with details", [detail]) ?? []);
  let port = 0;

  beforeAll(async () => {
    const method = { path: "/test.Echo/Say", requestStream: false, responseStream: false } as const;
    const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
    server.addService(
      { say: { ...method, ...codec } },
      {
        say: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
          if (call.request.toString() !== "fail") return done(null, call.request);
          const metadata = new grpc.Metadata();
          metadata.set("grpc-status-details-bin", details);
          done({ code: grpc.status.ABORTED, details: "with details", metadata });
        },
      },
    );
    port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`${host}:0`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  });

  afterAll(() => server.forceShutdown());

  // Its server never compresses what it answers.
  test("gzip requests", async () => {
    const channel = new Channel({ connect: () => connectTcp({ host, port }, 2000), authority: "test", clock, compression: gzip });
    expect(await createClient(echoService, channel).say(large)).toBe(large);
    expect([channel.counters.bytesReceived > large.length, channel.counters.bytesSent < 10_000]).toEqual([true, true]);
    await channel.close();
  });

  test("status details are read", async () => {
    const channel = new Channel({ connect: () => connectTcp({ host, port }, 2000), authority: "test", clock });
    await expect(createClient(echoService, channel).say("fail")).rejects.toMatchObject({ code: 10, details: [detail] });
    await channel.close();
  });
});
