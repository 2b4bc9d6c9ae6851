import { describe, expect, test } from "vitest";
import { Flag, FrameType } from "../http2/frame.ts";
import { ascii, grpcMessage, grpcRequestFields, headerBlock, hex, uint32 } from "../testing/raw-peer.ts";
import { answered, begin, echo, finish, frame, requestBlock, type Step, serverOutcome, steps, unanswered } from "./server-script.ts";

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION } = FrameType;
const endHeaders = Flag.END_HEADERS;
const message = grpcMessage(ascii("hello"));

type Row = readonly [section: string, title: string, outcome: string, step: Step];

/** A request whose block ends with these octets. */
function withField(octets: string, opening = ""): Step {
  return steps(frame(HEADERS, endHeaders, 1, [...hex(opening), ...requestBlock, ...hex(octets)]), finish());
}

function method(name: string): Step {
  const fields = grpcRequestFields(echo).map(([key, value]) => [key, key === ":method" ? name : value] as const);
  return frame(HEADERS, endHeaders | Flag.END_STREAM, 1, headerBlock(fields));
}

const priority = (streamId: number, dependency: number, weight: number): Step =>
  frame(PRIORITY, 0, streamId, [...uint32(dependency), weight]);

describe("a server takes what is right", () => {
  test.each<Row>([
    ["1/1", "the preface", "accepted", () => undefined],
    ["2/1", "PRIORITY on an idle stream", "grpc-status 0", steps(priority(1, 0, 255), answered)],
    ["2/2", "WINDOW_UPDATE on a half-closed (remote) stream", "accepted", steps(unanswered, frame(WINDOW_UPDATE, 0, 1, uint32(1)))],
    ["2/3", "PRIORITY on a half-closed (remote) stream", "accepted", steps(unanswered, priority(1, 0, 255))],
    ["2/4", "RST_STREAM on a half-closed (remote) stream", "accepted", steps(unanswered, frame(RST_STREAM, 0, 1, uint32(8)))],
    ["2/5", "PRIORITY on a closed stream", "grpc-status 0", steps(answered, priority(1, 0, 255))],
    ["3.1/1", "DATA", "grpc-status 0", answered],
    [
      "3.1/2",
      "several DATA frames",
      "grpc-status 0",
      steps(begin(echo), frame(DATA, 0, 1, message.slice(0, 3)), frame(DATA, Flag.END_STREAM, 1, message.slice(3))),
    ],
    [
      "3.1/3",
      "padded DATA",
      "grpc-status 0",
      steps(begin(echo), frame(DATA, Flag.END_STREAM | Flag.PADDED, 1, [6, ...message, ...new Uint8Array(6)])),
    ],
    ["3.2/1", "HEADERS", "grpc-status 0", answered],
    [
      "3.2/2",
      "padded HEADERS",
      "grpc-status 0",
      steps(frame(HEADERS, endHeaders | Flag.PADDED, 1, [6, ...requestBlock, ...new Uint8Array(6)]), finish()),
    ],
    [
      "3.2/3",
      "HEADERS with priority",
      "grpc-status 0",
      steps(frame(HEADERS, endHeaders | Flag.PRIORITY, 1, [0, 0, 0, 0, 255, ...requestBlock]), finish()),
    ],
    ["3.3/1", "PRIORITY with weight 1", "grpc-status 0", steps(priority(1, 0, 0), answered)],
    ["3.3/2", "PRIORITY with weight 256", "grpc-status 0", steps(priority(1, 0, 255), answered)],
    ["3.3/3", "PRIORITY with a dependency", "grpc-status 0", steps(begin(echo), priority(3, 1, 255), finish())],
    ["3.3/4", "PRIORITY with an exclusive dependency", "grpc-status 0", steps(begin(echo), priority(3, 0x80000001, 255), finish())],
    ["3.3/5", "PRIORITY on an idle stream, then a lower one", "grpc-status 0", steps(priority(5, 0, 255), answered)],
    ["3.4/1", "RST_STREAM", "accepted", steps(begin(echo), frame(RST_STREAM, 0, 1, uint32(8)))],
    ["3.5/1", "SETTINGS", "grpc-status 0", steps(frame(SETTINGS, 0, 0, [0, 3, ...uint32(100)]), answered)],
    ["3.7/1", "PING", "grpc-status 0", steps(frame(PING, 0, 0, ascii("h2spec!!")), answered)],
    ["3.8/1", "GOAWAY", "grpc-status 0", steps(begin(echo), frame(GOAWAY, 0, 0, [...uint32(0), ...uint32(0)]), finish())],
    ["3.9/1", "WINDOW_UPDATE on the connection", "grpc-status 0", steps(frame(WINDOW_UPDATE, 0, 0, uint32(1)), answered)],
    ["3.9/2", "WINDOW_UPDATE on a stream", "grpc-status 0", steps(begin(echo), frame(WINDOW_UPDATE, 0, 1, uint32(1)), finish())],
    [
      "3.10/1",
      "CONTINUATION",
      "grpc-status 0",
      steps(frame(HEADERS, 0, 1, requestBlock.slice(0, 4)), frame(CONTINUATION, endHeaders, 1, requestBlock.slice(4)), finish()),
    ],
    [
      "3.10/2",
      "several CONTINUATION frames",
      "grpc-status 0",
      steps(
        frame(HEADERS, 0, 1, requestBlock.slice(0, 4)),
        frame(CONTINUATION, 0, 1, requestBlock.slice(4, 9)),
        frame(CONTINUATION, endHeaders, 1, requestBlock.slice(9)),
        finish(),
      ),
    ],
    ["4/1", "GET, which gRPC does not know", "status 405", method("GET")],
    ["4/2", "HEAD, which gRPC does not know", "status 405", method("HEAD")],
    ["4/3", "POST", "grpc-status 0", answered],
    [
      "4/4",
      "POST with trailers",
      "grpc-status 0",
      steps(begin(echo), finish(1, 0), frame(HEADERS, endHeaders | Flag.END_STREAM, 1, headerBlock([["x-test", "ok"]]))),
    ],
    ["5/1", "an indexed field", "grpc-status 0", withField("90")],
    ["5/2", "a literal with indexing, indexed name", "grpc-status 0", withField("7a 04 74657374")],
    ["5/3", "a literal with indexing, indexed name, in Huffman code", "grpc-status 0", withField("7a 83 49509f")],
    ["5/4", "a literal with indexing, new name", "grpc-status 0", withField("40 01 78 04 74657374")],
    ["5/5", "a literal with indexing, new name, in Huffman code", "grpc-status 0", withField("40 81 f3 83 49509f")],
    ["5/6", "a literal without indexing, indexed name", "grpc-status 0", withField("0f2b 04 74657374")],
    ["5/7", "a literal without indexing, indexed name, in Huffman code", "grpc-status 0", withField("0f2b 83 49509f")],
    ["5/8", "a literal without indexing, new name", "grpc-status 0", withField("00 01 78 04 74657374")],
    ["5/9", "a literal without indexing, new name, in Huffman code", "grpc-status 0", withField("00 81 f3 83 49509f")],
    ["5/10", "a literal never indexed, indexed name", "grpc-status 0", withField("1f2b 04 74657374")],
    ["5/11", "a literal never indexed, indexed name, in Huffman code", "grpc-status 0", withField("1f2b 83 49509f")],
    ["5/12", "a literal never indexed, new name", "grpc-status 0", withField("10 01 78 04 74657374")],
    ["5/13", "a literal never indexed, new name, in Huffman code", "grpc-status 0", withField("10 81 f3 83 49509f")],
    ["5/14", "a table size update", "grpc-status 0", withField("", "3fe11f")],
    ["5/15", "two table size updates", "grpc-status 0", withField("", "20 3fe11f")],
  ])("generic %s: %s: %s", (_section, _title, outcome, step) => {
    expect(serverOutcome(step)).toBe(outcome);
  });
});
