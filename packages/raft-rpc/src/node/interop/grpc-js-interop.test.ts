import * as grpc from "@grpc/grpc-js";
import { methodPath } from "../../grpc/service-definition.ts";
import { messageBytesMax } from "./interop-cases.ts";
import { cancelDelayMs, type InteropCall, type InteropClient, type InteropOutcome, OutcomeBuilder } from "./interop-client.ts";
import { type InteropServer, interopHost, openOurClient, openOurServer } from "./interop-link.ts";
import { echoedInitial, echoedTrailing, type InteropRequest, interopService, requestCodec } from "./interop-service.ts";
import { describeInterop } from "./interop-suite.ts";
import type { InteropTrust } from "./interop-trust.ts";

const encodeRequest = (request: InteropRequest): Buffer => Buffer.from(requestCodec.encode(request));
const decodeResponse = (bytes: Buffer): string => bytes.toString();
const sizes = { "grpc.max_receive_message_length": messageBytesMax, "grpc.max_send_message_length": messageBytesMax };

type AnyCall = grpc.ClientUnaryCall | grpc.ClientReadableStream<string> | grpc.ClientWritableStream<InteropRequest>;

/** grpc-js as a client. */
class GrpcJsClient implements InteropClient {
  readonly #client: grpc.Client;

  constructor(port: number, trust: InteropTrust | null) {
    const own = trust?.client;
    const credentials =
      trust === null
        ? grpc.credentials.createInsecure()
        : grpc.credentials.createSsl(trust.authority.ca, own?.key ?? null, own?.cert ?? null);
    this.#client = new grpc.Client(`${interopHost}:${port}`, credentials, sizes);
  }

  call(spec: InteropCall): Promise<InteropOutcome> {
    return new Promise((resolve) => {
      const outcome = new OutcomeBuilder();
      const call = this.#begin(spec, outcome);
      call.on("metadata", (metadata: grpc.Metadata) => {
        outcome.initial = metadata.get(echoedInitial)[0]?.toString() ?? null;
      });
      call.on("status", ({ code, details, metadata }: grpc.StatusObject) => {
        const trailing = metadata.get(echoedTrailing)[0];
        if (Buffer.isBuffer(trailing)) outcome.trailing = [...trailing];
        // grpc-js says OK where the server says nothing.
        resolve(outcome.ended(code, code === grpc.status.OK ? "" : details));
      });
      if (spec.cancelAfter === 0) setTimeout(() => call.cancel(), cancelDelayMs);
    });
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  #begin({ path, kind, requests, pingPong = false, timeoutMs, cancelAfter, echo }: InteropCall, outcome: OutcomeBuilder): AnyCall {
    const metadata = new grpc.Metadata();
    if (echo !== undefined) metadata.set(echoedInitial, echo.initial);
    if (echo !== undefined) metadata.set(echoedTrailing, Buffer.from(echo.trailing));
    const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    const codecs = [path, encodeRequest, decodeResponse] as const;
    const done: grpc.requestCallback<string> = (_error, response) => (response === undefined ? undefined : outcome.response(response));
    const [first = {}] = requests;
    switch (kind) {
      case "unary":
        return this.#client.makeUnaryRequest(...codecs, first, metadata, options, done);
      case "clientStreaming": {
        const call = this.#client.makeClientStreamRequest(...codecs, metadata, options, done);
        for (const request of requests) call.write(request);
        if (cancelAfter === undefined) call.end();
        return call;
      }
      case "serverStreaming": {
        const call = this.#client.makeServerStreamRequest(...codecs, first, metadata, options);
        call.on("error", () => undefined);
        return call.on("data", (text: string) => outcome.response(text));
      }
      case "bidirectional": {
        const call = this.#client.makeBidiStreamRequest(...codecs, metadata, options);
        const waiting = [...requests];
        const sendMore = (): void => {
          for (const request of waiting.splice(0, pingPong ? 1 : waiting.length)) call.write(request);
          if (waiting.length === 0 && cancelAfter === undefined && (!pingPong || outcome.count === requests.length)) call.end();
        };
        call.on("error", () => undefined);
        call.on("data", (text: string) => {
          outcome.response(text);
          if (outcome.count === cancelAfter) call.cancel();
          else sendMore();
        });
        sendMore();
        return call;
      }
    }
  }
}

/** The service on grpc-js. */
const definition = Object.fromEntries(
  Object.entries(interopService.methods).map(([localName, method]) => [
    localName,
    {
      path: methodPath(interopService, method),
      requestStream: method.kind === "clientStreaming" || method.kind === "bidirectional",
      responseStream: method.kind === "serverStreaming" || method.kind === "bidirectional",
      requestSerialize: encodeRequest,
      requestDeserialize: requestCodec.decode,
      responseSerialize: (text: string) => Buffer.from(text),
      responseDeserialize: decodeResponse,
    },
  ]),
);

/** Metadata goes back; resolves to the trailers. */
function echoMetadata(call: { readonly metadata: grpc.Metadata; sendMetadata(metadata: grpc.Metadata): void }): grpc.Metadata {
  const trailers = new grpc.Metadata();
  for (const value of call.metadata.get(echoedTrailing)) trailers.set(echoedTrailing, value);
  const initial = new grpc.Metadata();
  for (const value of call.metadata.get(echoedInitial)) initial.set(echoedInitial, value);
  call.sendMetadata(initial);
  return trailers;
}

/** The status that was asked for, after the time that was asked for. */
async function asAsked({ status, sleepMs }: InteropRequest): Promise<void> {
  if (sleepMs !== undefined) await new Promise((resolve) => setTimeout(resolve, sleepMs).unref());
  if (status !== undefined) throw Object.assign(new Error(status.message), { code: status.code, details: status.message });
}

function statusOf(reason: unknown): Partial<grpc.StatusObject> {
  return reason instanceof Error ? (reason as Partial<grpc.StatusObject>) : { code: grpc.status.UNKNOWN, details: String(reason) };
}

const handlers = {
  unaryCall(call: grpc.ServerUnaryCall<InteropRequest, string>, done: grpc.sendUnaryData<string>) {
    const trailers = echoMetadata(call);
    asAsked(call.request).then(
      () => done(null, "r".repeat(call.request.sizes?.[0] ?? 0), trailers),
      (reason: unknown) => done(statusOf(reason)),
    );
  },
  streamingInputCall(call: grpc.ServerReadableStream<InteropRequest, string>, done: grpc.sendUnaryData<string>) {
    let length = 0;
    const answer = async (): Promise<void> => {
      for await (const request of call as AsyncIterable<InteropRequest>) {
        await asAsked(request);
        length += request.body?.length ?? 0;
      }
      done(null, String(length));
    };
    answer().catch((reason: unknown) => done(statusOf(reason)));
  },
  streamingOutputCall(call: grpc.ServerWritableStream<InteropRequest, string>) {
    const trailers = echoMetadata(call);
    asAsked(call.request).then(
      () => {
        for (const size of call.request.sizes ?? []) call.write("r".repeat(size));
        call.end(trailers);
      },
      (reason: unknown) => call.emit("error", statusOf(reason)),
    );
  },
  fullDuplexCall(call: grpc.ServerDuplexStream<InteropRequest, string>) {
    const trailers = echoMetadata(call);
    let answered = Promise.resolve();
    const fail = (reason: unknown): void => void call.emit("error", statusOf(reason));
    call.on("data", (request: InteropRequest) => {
      answered = answered.then(async () => {
        await asAsked(request);
        for (const size of request.sizes ?? []) call.write("r".repeat(size));
      });
      answered.catch(fail);
    });
    // An iteration over the requests would wait for the end of the responses, too.
    call.on(
      "end",
      () =>
        void answered.then(
          () => call.end(trailers),
          () => undefined,
        ),
    );
  },
};

async function openGrpcJsServer(trust: InteropTrust | null): Promise<InteropServer> {
  const server = new grpc.Server(sizes);
  server.addService(definition, handlers);
  const pair = trust === null ? [] : [{ cert_chain: trust.server.cert, private_key: trust.server.key }];
  const credentials =
    trust === null
      ? grpc.ServerCredentials.createInsecure()
      : grpc.ServerCredentials.createSsl(trust.authority.ca, pair, trust.client !== null);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${interopHost}:0`, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  return {
    port,
    close() {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

describeInterop([
  { title: "our client and our server", openServer: openOurServer, openClient: openOurClient },
  { title: "grpc-js as client of our server", openServer: openOurServer, openClient: (port, trust) => new GrpcJsClient(port, trust) },
  { title: "our client and grpc-js as server", openServer: openGrpcJsServer, openClient: openOurClient },
]);
