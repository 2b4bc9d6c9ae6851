import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Channel } from "../client/channel.ts";
import { createClient } from "../client/typed-client.ts";
import { Metadata } from "../grpc/metadata.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { StatusCode } from "../grpc/status.ts";
import { Dispatcher } from "../server/dispatcher.ts";
import { RpcServer } from "../server/rpc-server.ts";
import { echoService } from "../testing/echo-service.ts";
import { SystemClock } from "./system-clock.ts";
import { connectTcp, listenTcp, type TcpListener } from "./tcp.ts";

const host = "127.0.0.1";
const clock = new SystemClock();
const special = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
const text = (bytes: Buffer): string => bytes.toString();
const bytes = (value: string): Buffer => Buffer.from(value);

interface Request {
  readonly text: string;
}

/** The echo service for grpc-js. */
const definition = Object.fromEntries(
  Object.entries(echoService.methods).map(([localName, method]) => [
    localName,
    {
      path: `/test.Echo/${method.name}`,
      requestStream: method.kind === "clientStreaming" || method.kind === "bidirectional",
      responseStream: method.kind === "serverStreaming" || method.kind === "bidirectional",
      requestSerialize: bytes,
      // As an object: grpc-js takes an empty string for no message.
      requestDeserialize: (message: Buffer) => ({ text: message.toString() }),
      responseSerialize: bytes,
      responseDeserialize: text,
    },
  ]),
);

describe("grpc-js as client of our server", () => {
  const aborts: string[] = [];
  const dispatcher = new Dispatcher().add(echoService, {
    async say(request, call) {
      if (request === "special")
        throw new RpcError(StatusCode.UNKNOWN, special, { metadata: Metadata.of({ "x-why-bin": Uint8Array.of(0, 1, 255) }) });
      if (request === "wait") {
        await new Promise<void>((resolve) => call.signal.addEventListener("abort", () => resolve()));
        aborts.push("say");
      }
      const metadata = new Metadata();
      for (const name of ["x-text", "x-raw-bin"]) for (const value of call.metadata.getAll(name)) metadata.append(name, value);
      call.sendMetadata(metadata);
      for (const [name, value] of metadata) call.trailers.append(`t${name}`, value);
      return request;
    },
    async collect(requests) {
      let length = 0;
      for await (const request of requests) length += request.length;
      return String(length);
    },
    async *spell(request, call) {
      if (request === "wait") {
        yield "first";
        await new Promise<void>((resolve) => call.signal.addEventListener("abort", () => resolve()));
        aborts.push("spell");
        return;
      }
      for (const size of request.split(",")) yield "x".repeat(Number(size));
    },
    async *chat(requests) {
      for await (const request of requests) yield `${request}!`;
    },
  });
  const server = new RpcServer({ dispatcher, clock });
  let listener: TcpListener;
  let client: grpc.Client;
  const method = (name: keyof typeof echoService.methods): string => `/test.Echo/${echoService.methods[name].name}`;
  const unary = (request: string, options: grpc.CallOptions = {}, metadata = new grpc.Metadata()): Promise<string> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(method("say"), bytes, text, request, metadata, options, (error, response) =>
        error === null ? resolve(response ?? "") : reject(error),
      );
    });

  beforeAll(async () => {
    listener = await listenTcp({ host, port: 0 }, (stream) => server.accept(stream));
    client = new grpc.Client(`${host}:${listener.address.port}`, grpc.credentials.createInsecure());
  });

  afterAll(async () => {
    client.close();
    listener.close();
    await server.close(100);
  });

  test("empty and large unary calls", async () => {
    expect(await unary("")).toBe("");
    const large = "y".repeat(271_828);
    expect(await unary(large)).toBe(large);
    const most = "z".repeat(2 * 1024 * 1024);
    expect(await unary(most)).toBe(most);
  });

  test("a message above the limit", async () => {
    await expect(unary("z".repeat(2 * 1024 * 1024 + 1))).rejects.toMatchObject({
      code: 8,
      details: "grpc: received message larger than max (2097153 vs. 2097152)",
    });
  });

  test("metadata in both directions, text and bytes", async () => {
    const sent = new grpc.Metadata();
    sent.set("x-text", "value");
    sent.set("x-raw-bin", Buffer.of(0, 171, 255));
    const seen: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      const call = client.makeUnaryRequest(method("say"), bytes, text, "m", sent, (error) => (error === null ? undefined : reject(error)));
      call.on("metadata", (metadata) => seen.push(metadata.get("x-text"), metadata.get("x-raw-bin")));
      call.on("status", (status) => {
        seen.push(status.metadata.get("tx-text"), status.metadata.get("tx-raw-bin"), status.code);
        resolve();
      });
    });
    expect(seen).toEqual([["value"], [Buffer.of(0, 171, 255)], ["value"], [Buffer.of(0, 171, 255)], 0]);
  });

  test("status message with any characters, and binary trailers", async () => {
    const error = await new Promise<grpc.ServiceError | null>((resolve) => {
      client.makeUnaryRequest(method("say"), bytes, text, "special", (reason) => resolve(reason));
    });
    expect([error?.code, error?.details, error?.metadata.get("x-why-bin")]).toEqual([2, special, [Buffer.of(0, 1, 255)]]);
  });

  test("unknown method and service", async () => {
    const call = (path: string): Promise<unknown> =>
      new Promise((resolve, reject) =>
        client.makeUnaryRequest(path, bytes, text, "", (error, value) => (error === null ? resolve(value) : reject(error))),
      );
    await expect(call("/test.Echo/Nothing")).rejects.toMatchObject({ code: 12, details: "unknown method Nothing for service test.Echo" });
    await expect(call("/test.Nobody/Say")).rejects.toMatchObject({ code: 12, details: "unknown service test.Nobody" });
  });

  test("client streaming", async () => {
    const result = await new Promise<string>((resolve, reject) => {
      const call = client.makeClientStreamRequest(method("collect"), bytes, text, (error, value) =>
        error === null ? resolve(value ?? "") : reject(error),
      );
      for (const size of [27_182, 8, 1_828, 45_904]) call.write("c".repeat(size));
      call.end();
    });
    expect(result).toBe("74922");
  });

  test("server streaming, more than all windows", async () => {
    const sizes = [31_415, 9, 2_653, 58_979, 1_000_000, 1_500_000, 0];
    const call = client.makeServerStreamRequest(method("spell"), bytes, text, sizes.join());
    const seen: number[] = [];
    for await (const response of call) seen.push(String(response).length);
    expect(seen).toEqual(sizes);
  });

  test("ping pong", async () => {
    const call = client.makeBidiStreamRequest<string, string>(method("chat"), bytes, text);
    const seen: string[] = [];
    call.write("0");
    for await (const response of call) {
      seen.push(String(response));
      if (seen.length === 5) call.end();
      else call.write(String(seen.length));
    }
    expect(seen).toEqual(["0!", "1!", "2!", "3!", "4!"]);
  });

  test("an empty stream", async () => {
    const call = client.makeBidiStreamRequest<string, string>(method("chat"), bytes, text);
    call.end();
    const seen: unknown[] = [];
    for await (const response of call) seen.push(response);
    expect(seen).toEqual([]);
  });

  test("a deadline", async () => {
    // The first may have passed before the server had the call.
    for (let timeoutMs = 50; !aborts.includes("say"); timeoutMs *= 2) {
      await expect(unary("wait", { deadline: Date.now() + timeoutMs })).rejects.toMatchObject({ code: 4 });
    }
  });

  test("cancel after the first response", async () => {
    const call = client.makeServerStreamRequest<string, string>(method("spell"), bytes, text, "wait");
    const code = await new Promise<number>((resolve) => {
      call.on("data", () => call.cancel());
      call.on("error", (error) => resolve((error as grpc.ServiceError).code));
    });
    expect(code).toBe(1);
    await expect.poll(() => aborts).toContain("spell");
  });

  test("more large messages at a time than may be incomplete together", async () => {
    const large = "l".repeat(1_000_000);
    const lengths = await Promise.all(
      Array.from(
        { length: 200 },
        () =>
          new Promise<string>((resolve, reject) => {
            const call = client.makeClientStreamRequest(method("collect"), bytes, text, (error, value) =>
              error === null ? resolve(value ?? "") : reject(error),
            );
            call.write(large);
            call.end();
          }),
      ),
    );
    expect(new Set(lengths)).toEqual(new Set(["1000000"]));
  });

  test("many calls at a time on one connection", async () => {
    const accepted = server.counters.connectionsAccepted;
    const all = await Promise.all(Array.from({ length: 2000 }, (_, place) => unary(String(place))));
    expect(all).toEqual(Array.from({ length: 2000 }, (_, place) => String(place)));
    expect(server.counters.connectionsAccepted).toBe(accepted);
  });
});

describe("our client to a grpc-js server", () => {
  const server = new grpc.Server();
  let channel: Channel;
  let client: ReturnType<typeof createClient<typeof echoService>>;
  let waiting = 0;
  let cancelled = 0;

  beforeAll(async () => {
    server.addService(definition, {
      say(call: grpc.ServerUnaryCall<Request, string>, done: grpc.sendUnaryData<string>) {
        if (call.request.text === "wait") {
          waiting++;
          return void call.on("cancelled", () => {
            waiting--;
            cancelled++;
          });
        }
        if (call.request.text === "special") {
          const metadata = new grpc.Metadata();
          metadata.set("x-why-bin", Buffer.of(0, 1, 255));
          return done({ code: 9, details: special, metadata });
        }
        const metadata = new grpc.Metadata();
        metadata.set("x-text", call.metadata.get("x-text")[0] ?? "none");
        metadata.set("x-raw-bin", call.metadata.get("x-raw-bin")[0] ?? Buffer.of());
        call.sendMetadata(metadata);
        done(null, call.request.text, metadata);
      },
      collect(call: grpc.ServerReadableStream<Request, string>, done: grpc.sendUnaryData<string>) {
        let length = 0;
        call.on("data", (request: Request) => (length += request.text.length));
        call.on("end", () => done(null, String(length)));
      },
      spell(call: grpc.ServerWritableStream<Request, string>) {
        for (const size of call.request.text.split(",")) call.write("x".repeat(Number(size)));
        call.end();
      },
      chat(call: grpc.ServerDuplexStream<Request, string>) {
        call.on("data", (request: Request) => call.write(`${request.text}!`));
        call.on("end", () => call.end());
      },
      copy: (call: grpc.ServerUnaryCall<Request, string>, done: grpc.sendUnaryData<string>) => done(null, call.request.text),
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`${host}:0`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    channel = new Channel({ connect: () => connectTcp({ host, port }, 1000), authority: `${host}:${port}`, clock });
    client = createClient(echoService, channel);
  });

  afterAll(async () => {
    await channel.close();
    server.forceShutdown();
  });

  test("unary calls, empty and large", async () => {
    expect(await client.say("", { timeoutMs: 60_000 })).toBe("");
    const large = "y".repeat(1_000_000);
    expect(await client.say(large)).toBe(large);
  });

  test("metadata in both directions", async () => {
    const seen: unknown[] = [];
    await client.say("m", {
      metadata: Metadata.of({ "x-text": "value", "x-raw-bin": Uint8Array.of(0, 171, 255) }),
      onMetadata: (metadata) => seen.push(metadata.get("x-text"), metadata.getBytes("x-raw-bin")),
      onTrailers: (trailers) => seen.push(trailers.get("x-text"), trailers.getBytes("x-raw-bin")),
    });
    expect(seen).toEqual(["value", Uint8Array.of(0, 171, 255), "value", Uint8Array.of(0, 171, 255)]);
  });

  test("errors with any characters and binary trailers", async () => {
    const error = await client.say("special").then(
      () => null,
      (reason: unknown) => RpcError.from(reason),
    );
    expect([error?.code, error?.message, error?.metadata.getBytes("x-why-bin")]).toEqual([9, special, Uint8Array.of(0, 1, 255)]);
    await expect(client.missing("x")).rejects.toMatchObject({ code: StatusCode.UNIMPLEMENTED });
  });

  test("streams of all kinds", async () => {
    expect(await client.collect(["a".repeat(100_000), "", "b".repeat(900_000)])).toBe("1000000");
    const sizes = [31_415, 0, 1_500_000, 1_500_000, 9];
    const seen: number[] = [];
    for await (const response of client.spell(sizes.join())) seen.push(response.length);
    expect(seen).toEqual(sizes);
    const answers: string[] = [];
    for await (const response of client.chat(["a", "b", "c"])) answers.push(response);
    expect(answers).toEqual(["a!", "b!", "c!"]);
  });

  test("a deadline and a cancellation reach the server", async () => {
    // The first may have passed before the server had the call.
    for (let timeoutMs = 50; cancelled === 0; timeoutMs *= 2) {
      await expect(client.say("wait", { timeoutMs })).rejects.toMatchObject({ code: StatusCode.DEADLINE_EXCEEDED });
    }
    await expect.poll(() => waiting).toBe(0);
    const controller = new AbortController();
    const call = client.say("wait", { signal: controller.signal });
    await expect.poll(() => waiting).toBe(1);
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: StatusCode.CANCELLED });
    await expect.poll(() => waiting).toBe(0);
  });

  test("many calls at a time", async () => {
    const texts = Array.from({ length: 2000 }, (_, place) => String(place));
    expect(await Promise.all(texts.map((value) => client.say(value)))).toEqual(texts);
  });
});
