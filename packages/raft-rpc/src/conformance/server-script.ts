import { Flag, FrameType } from "../http2/frame.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, headerBlock, type RawPeer, uint32 } from "../testing/raw-peer.ts";
import { startServer } from "../testing/server-fixture.ts";

/** Something that a scripted client does on a connection whose preface was exchanged. */
export type Step = (client: RawPeer) => void;

/** Answers with its request. */
export const echo = "/x.Y/Echo";
/** Takes its request and never answers. */
export const wait = "/x.Y/Wait";
/** The stream of the request that shows whether the connection still serves. */
const probeId = 1001;
const message = grpcMessage(ascii("hello"));

export const requestBlock: Uint8Array = headerBlock(grpcRequestFields(echo));

export function frame(type: number, flags: number, streamId: number, payload: readonly number[] | Uint8Array): Step {
  return (client) => client.send(frameBytes(type, flags, streamId, payload));
}

export function steps(...all: readonly Step[]): Step {
  return (client) => {
    for (const step of all) step(client);
  };
}

export function setting(id: number, value: number): Step {
  return frame(FrameType.SETTINGS, 0, 0, [id >> 8, id & 255, ...uint32(value)]);
}

/** A whole HEADERS frame that begins a request. */
export function begin(path: string, streamId = 1, more: readonly (readonly [string, string])[] = []): Step {
  return (client) => client.send(client.headers(streamId, grpcRequestFields(path, more)));
}

/** Requests whose only frame is a HEADERS frame with these fields. */
export function fieldsOnly(fields: readonly (readonly [string, string])[]): Step {
  return frame(FrameType.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 1, headerBlock(fields));
}

/** The message of a request, and the end of it. */
export function finish(streamId = 1, flags: number = Flag.END_STREAM): Step {
  return frame(FrameType.DATA, flags, streamId, message);
}

/** A request that is answered: its stream is closed. */
export const answered: Step = steps(begin(echo), finish());
/** A request that is complete and not answered: its stream is half-closed (remote). */
export const unanswered: Step = steps(begin(wait), finish());

/**
 * What the server made of the steps: `connection CODE` (GOAWAY, closed), `stream CODE` (RST_STREAM of stream 1), `grpc-status n` or
 * `status n` of stream 1, else `accepted`. Whatever is no error of the connection must leave it serving.
 */
export function serverOutcome(step: Step): string {
  const { clock, startedPeer, dispatcher } = startServer();
  dispatcher.addUnary(wait, () => undefined);
  const client = startedPeer();
  step(client);
  clock.settle();
  if (client.goaway !== null) return client.closed ? `connection ${client.goaway}` : "GOAWAY without closing";
  const reset = client.reset(1);
  const grpcStatus = client.status(1);
  const httpStatus = client.ofStream(1).find((seen) => seen.type === "HEADERS")?.headers[":status"];
  client.send(...client.unary(probeId, echo, ascii("probe")));
  clock.settle();
  if (client.status(probeId) !== "0") return `no service: ${client.summary().join(", ")}`;
  if (reset !== null && reset !== "NO_ERROR") return `stream ${reset}`;
  if (grpcStatus !== null) return `grpc-status ${grpcStatus}`;
  return httpStatus === undefined ? "accepted" : `status ${httpStatus}`;
}
