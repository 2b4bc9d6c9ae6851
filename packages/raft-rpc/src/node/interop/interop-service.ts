import { Metadata } from "../../grpc/metadata.ts";
import { RpcError } from "../../grpc/rpc-error.ts";
import { type Codec, defineService, type MethodKind } from "../../grpc/service-definition.ts";
import { StatusCode, statusFromNumber } from "../../grpc/status.ts";
import type { CallContext, ServiceImpl } from "../../server/service-impl.ts";

/** What a caller asks of the service: in JSON, so that every language can read it. Without anything in it, no bytes at all. */
export interface InteropRequest {
  /** Lengths of the responses. A method with one response takes the first. */
  readonly sizes?: readonly number[];
  /** End with this status instead. */
  readonly status?: { readonly code: number; readonly message: string };
  /** Wait so long before an answer. */
  readonly sleepMs?: number;
  readonly body?: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export const requestCodec: Codec<InteropRequest> = {
  encode: (request) => (Object.keys(request).length === 0 ? new Uint8Array(0) : encoder.encode(JSON.stringify(request))),
  decode: (bytes) => (bytes.length === 0 ? {} : (JSON.parse(decoder.decode(bytes)) as InteropRequest)),
};

export const responseCodec: Codec<string> = { encode: (text) => encoder.encode(text), decode: (bytes) => decoder.decode(bytes) };

function method<const Kind extends MethodKind>(name: string, kind: Kind) {
  return { name, kind, request: requestCodec, response: responseCodec };
}

/** The methods of gRPC's own interoperability tests. */
export const interopService = defineService({
  typeName: "interop.Test",
  methods: {
    unaryCall: method("UnaryCall", "unary"),
    streamingOutputCall: method("StreamingOutputCall", "serverStreaming"),
    /** Answers with the length of all bodies. */
    streamingInputCall: method("StreamingInputCall", "clientStreaming"),
    fullDuplexCall: method("FullDuplexCall", "bidirectional"),
    unimplementedCall: method("UnimplementedCall", "unary"),
  },
});

/** What comes under these names goes back, before the first response and behind the last. */
export const echoedInitial = "x-grpc-test-echo-initial";
export const echoedTrailing = "x-grpc-test-echo-trailing-bin";

export const interopHandlers: ServiceImpl<typeof interopService> = {
  async unaryCall(request, call) {
    echoMetadata(call);
    await asAsked(request);
    return textOf(request.sizes?.[0]);
  },
  async *streamingOutputCall(request, call) {
    echoMetadata(call);
    await asAsked(request);
    for (const size of request.sizes ?? []) yield textOf(size);
  },
  async streamingInputCall(requests, call) {
    echoMetadata(call);
    let length = 0;
    for await (const request of requests) {
      await asAsked(request);
      length += request.body?.length ?? 0;
    }
    return String(length);
  },
  async *fullDuplexCall(requests, call) {
    echoMetadata(call);
    for await (const request of requests) {
      await asAsked(request);
      for (const size of request.sizes ?? []) yield textOf(size);
    }
  },
};

function textOf(size = 0): string {
  return "r".repeat(size);
}

/** Waits and throws, if the request says so. */
async function asAsked({ status, sleepMs }: InteropRequest): Promise<void> {
  if (sleepMs !== undefined) await new Promise((resolve) => setTimeout(resolve, sleepMs).unref());
  if (status !== undefined && status.code !== StatusCode.OK) throw new RpcError(statusFromNumber(status.code), status.message);
}

function echoMetadata(call: CallContext): void {
  const initial = call.metadata.get(echoedInitial);
  if (initial !== undefined) call.sendMetadata(Metadata.of({ [echoedInitial]: initial }));
  const trailing = call.metadata.getBytes(echoedTrailing);
  if (trailing !== undefined) call.trailers.append(echoedTrailing, trailing);
}
