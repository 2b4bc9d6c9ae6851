import { expect, test } from "vitest";
import { Flag, FrameType } from "../http2/frame.ts";
import { defaultLimits } from "../limits.ts";
import { headerBlock, type RawPeer, uint32 } from "../testing/raw-peer.ts";
import { startServer } from "../testing/server-fixture.ts";
import { frame, type Step, serverOutcome, setting, steps } from "./server-script.ts";

const { DATA, HEADERS, PRIORITY, RST_STREAM, WINDOW_UPDATE, CONTINUATION } = FrameType;
const end = Flag.END_STREAM;
const endHeaders = Flag.END_HEADERS;

/** A request as browsers, curl and suites of conformance make them. */
function request(method: string, more: readonly (readonly [string, string])[] = []): Uint8Array {
  return headerBlock([[":method", method], [":scheme", "http"], [":path", "/"], [":authority", "test"], ...more]);
}

const begin = (method = "GET", more: readonly (readonly [string, string])[] = []): Step =>
  frame(HEADERS, endHeaders, 1, request(method, more));
const whole = (method = "GET", streamId = 1): Step => frame(HEADERS, endHeaders | end, streamId, request(method));
const reset = frame(RST_STREAM, 0, 1, uint32(8));

test.each<[title: string, outcome: string, step: Step]>([
  ["GET", "status 405", whole()],
  ["POST without a content-type", "status 415", steps(begin("POST"), frame(DATA, end, 1, [1]))],
  [
    "POST with trailers",
    "status 415",
    steps(begin("POST"), frame(DATA, 0, 1, [1]), frame(HEADERS, endHeaders | end, 1, headerBlock([["x", "y"]]))),
  ],
  ["a request that does not end", "accepted", begin()],
  ["DATA after its end", "stream STREAM_CLOSED", steps(whole(), frame(DATA, end, 1, [1]))],
  ["HEADERS after its end", "connection STREAM_CLOSED", steps(whole(), whole())],
  ["CONTINUATION after its end", "connection PROTOCOL_ERROR", steps(whole(), frame(CONTINUATION, endHeaders, 1, request("GET")))],
  ["DATA after its reset", "stream STREAM_CLOSED", steps(begin(), reset, frame(DATA, end, 1, [1]))],
  ["HEADERS after its reset", "connection STREAM_CLOSED", steps(begin(), reset, whole())],
  ["WINDOW_UPDATE of 0", "stream PROTOCOL_ERROR", steps(begin(), frame(WINDOW_UPDATE, 0, 1, uint32(0)))],
  ["a window above 2^31-1", "stream FLOW_CONTROL_ERROR", steps(begin(), frame(WINDOW_UPDATE, 0, 1, uint32(0x7fffffff)))],
  ["PRIORITY of 4 octets", "stream FRAME_SIZE_ERROR", steps(begin(), frame(PRIORITY, 0, 1, [0, 0, 0, 0]))],
  [
    "a second HEADERS without END_STREAM",
    "stream PROTOCOL_ERROR",
    steps(begin("POST"), frame(HEADERS, endHeaders, 1, headerBlock([["x", "y"]]))),
  ],
  [
    "a pseudo header in trailers",
    "stream PROTOCOL_ERROR",
    steps(begin("POST"), frame(HEADERS, endHeaders | end, 1, headerBlock([[":method", "x"]]))),
  ],
  ["a content-length that differs", "stream PROTOCOL_ERROR", steps(begin("POST", [["content-length", "1"]]), frame(DATA, end, 1, [1, 2]))],
  [
    "a content-length that differs from several DATA frames",
    "stream PROTOCOL_ERROR",
    steps(begin("POST", [["content-length", "1"]]), frame(DATA, 0, 1, [1]), frame(DATA, end, 1, [2])),
  ],
  [
    "a content-length without DATA",
    "stream PROTOCOL_ERROR",
    frame(HEADERS, endHeaders | end, 1, request("POST", [["content-length", "1"]])),
  ],
])("plain HTTP: %s: %s", (_title, outcome, step) => {
  expect(serverOutcome(step)).toBe(outcome);
});

/** A client on whose connection the steps were taken one by one. */
function run(...all: readonly Step[]): RawPeer {
  const { clock, startedPeer } = startServer();
  const client = startedPeer();
  for (const step of all) {
    step(client);
    clock.settle();
  }
  return client;
}

test("what is spoken is said in the answer, but not to HEAD", () => {
  const said = new TextDecoder().decode(run(whole()).ofStream(1)[1]?.payload);
  expect(said).toBe("gRPC is spoken here: POST with content-type application/grpc.\n");
  expect(run(whole("HEAD")).summary()).toEqual([
    "HEADERS 1 :status=405 content-type=text/plain content-length=62 allow=POST",
    "DATA 1 0 bytes END",
  ]);
});

test("the answer keeps to the client's window", () => {
  const client = run(setting(4, 1), whole(), setting(4, 3), frame(WINDOW_UPDATE, 0, 1, uint32(100)));
  expect(client.ofStream(1).map(({ type, payload }) => (type === "DATA" ? payload.length : type))).toEqual(["HEADERS", 1, 2, 59]);
});

test("answers that wait for window count as streams", () => {
  const ids = Array.from({ length: defaultLimits.concurrentStreamsMax + 1 }, (_, place) => 1 + 2 * place);
  const client = run(setting(4, 0), ...ids.map((id) => whole("GET", id)));
  expect(ids.filter((id) => client.reset(id) === "REFUSED_STREAM")).toEqual(ids.slice(-1));
});

test("a long request gets window, up to the limit of a message, is answered there, and the rest is not wanted", () => {
  const { clock, startedPeer } = startServer();
  const client = startedPeer();
  begin("POST")(client);
  for (let bytes = 0; bytes <= defaultLimits.messageBytesMax; bytes += 16_384) {
    expect(client.ofStream(1).every(({ type }) => type === "WINDOW_UPDATE")).toBe(true);
    client.send(client.data(1, new Uint8Array(16_384)));
    clock.settle();
  }
  expect([client.summary().slice(-2), client.goaway]).toEqual([["DATA 1 62 bytes END", "RST_STREAM 1 NO_ERROR"], null]);
});

test("a request that does not end in time is reset", () => {
  const { clock, startedPeer, server } = startServer();
  const client = startedPeer();
  begin()(client);
  clock.advance(defaultLimits.requestMs + 50);
  expect([client.reset(1), client.goaway, server.counters.limits.requestTimeouts]).toEqual(["CANCEL", null, 1]);
});
