import type { FloodName } from "../../http2/flood-error.ts";
import { clientPreface, Flag, FrameType, SettingId } from "../../http2/frame.ts";
import { idleFramesPerUsefulFrame, pingStrikesMax, type RpcLimits } from "../../limits.ts";
import { frameBytes, grpcRequestFields, headerBlock, uint32 } from "../../testing/raw-peer.ts";

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION } = FrameType;
const cancelCode = 8;

/** A flood of frames that are cheap to send. A server ends the connection with ENHANCE_YOUR_CALM. */
export interface FrameFlood {
  readonly name: string;
  /** Follows the preface and SETTINGS. */
  readonly opening: Uint8Array;
  /** What is sent again and again; `count` grows from 0. */
  readonly round: (count: number) => Uint8Array;
  /** Rounds that a server takes in one moment, when time earns the client nothing back. */
  readonly roundsMax: (limits: RpcLimits) => number;
  /** What the server counts. */
  readonly limit: FloodName;
}

/** A method that the server has: answers with its request. */
export const echoPath = "/x.Y/Echo";
/** A method that the server has: takes its request and never answers. */
export const waitPath = "/x.Y/Wait";

const echoBlock = headerBlock(grpcRequestFields(echoPath));
const waitBlock = headerBlock(grpcRequestFields(waitPath));
const nothing: Uint8Array = new Uint8Array(0);
const emptyMessage = [0, 0, 0, 0, 0];

export function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** What a client sends first. */
export function clientOpening(settings: readonly (readonly [number, number])[] = []): Uint8Array {
  const payload = settings.flatMap(([id, value]) => [id >>> 8, id & 255, ...uint32(value)]);
  return joined(clientPreface, frameBytes(SETTINGS, 0, 0, payload), frameBytes(SETTINGS, Flag.ACK, 0, []));
}

/** The id of the stream that is opened by round `count`. */
function streamOf(count: number): number {
  return 1 + 2 * count;
}

function openStream(streamId: number, flags = 0): Uint8Array {
  return frameBytes(HEADERS, Flag.END_HEADERS | flags, streamId, echoBlock);
}

/** A stream that waits: its request is complete and its handler runs. */
export function waitingCall(streamId: number): Uint8Array {
  const begin = frameBytes(HEADERS, Flag.END_HEADERS, streamId, waitBlock);
  return joined(begin, frameBytes(DATA, Flag.END_STREAM, streamId, emptyMessage));
}

/** Handlers of streams that were reset still run, and are as many as streams may be: then new streams are refused. */
const handlersMax = (limits: RpcLimits): number => limits.concurrentStreamsMax + limits.refusalRate.burst;
const resetsMax = (limits: RpcLimits): number => limits.resetRate.burst;

/** CVE-2025-8671: each round opens a stream and breaks a rule on it, so that the server resets it. */
function madeYouReset(
  fault: string,
  round: (streamId: number) => Uint8Array,
  limit: FloodName = "resetFlood",
  roundsMax = resetsMax,
): FrameFlood {
  return {
    name: `made to reset (CVE-2025-8671) by ${fault}`,
    opening: nothing,
    round: (count) => round(streamOf(count)),
    roundsMax,
    limit,
  };
}

/** The same frames on one stream or on the connection. */
function repeated(
  name: string,
  limit: FloodName,
  roundsMax: (limits: RpcLimits) => number,
  frame: Uint8Array,
  opening = nothing,
): FrameFlood {
  return { name, opening, round: () => frame, roundsMax, limit };
}

const resets: readonly FrameFlood[] = [
  {
    name: "rapid reset (CVE-2023-44487)",
    opening: nothing,
    round: (count) => joined(openStream(streamOf(count)), frameBytes(RST_STREAM, 0, streamOf(count), uint32(cancelCode))),
    roundsMax: resetsMax,
    limit: "resetFlood",
  },
  {
    name: "rapid reset of calls whose handler runs (CVE-2023-44487)",
    opening: nothing,
    round: (count) => joined(waitingCall(streamOf(count)), frameBytes(RST_STREAM, 0, streamOf(count), uint32(cancelCode))),
    roundsMax: handlersMax,
    limit: "refusalFlood",
  },
  madeYouReset("WINDOW_UPDATE of 0", (id) => joined(openStream(id), frameBytes(WINDOW_UPDATE, 0, id, uint32(0)))),
  madeYouReset("a window above 2^31-1", (id) => joined(openStream(id), frameBytes(WINDOW_UPDATE, 0, id, uint32(0x7fffffff)))),
  madeYouReset("PRIORITY of a wrong length", (id) => joined(openStream(id), frameBytes(PRIORITY, 0, id, [0])), "priorityFlood"),
  madeYouReset("DATA after its end", (id) => joined(waitingCall(id), frameBytes(DATA, 0, id, [0])), "refusalFlood", handlersMax),
  madeYouReset(
    "HEADERS after its end",
    (id) => joined(waitingCall(id), frameBytes(HEADERS, Flag.END_HEADERS, id, echoBlock)),
    "refusalFlood",
    handlersMax,
  ),
  madeYouReset("a malformed request", (id) => frameBytes(HEADERS, Flag.END_HEADERS, id, headerBlock([["x", "y"]]))),
  madeYouReset("trailers that end nothing", (id) => joined(openStream(id), frameBytes(HEADERS, Flag.END_HEADERS, id, echoBlock))),
  {
    name: "streams above the limit",
    opening: nothing,
    round: (count) => waitingCall(streamOf(count)),
    roundsMax: handlersMax,
    limit: "refusalFlood",
  },
];

const headerBlocks: readonly FrameFlood[] = [
  repeated(
    "CONTINUATION without end (CVE-2024-27983)",
    "headerBlock",
    ({ continuationsMax }) => continuationsMax,
    frameBytes(CONTINUATION, 0, 1, [0x82]),
    frameBytes(HEADERS, 0, 1, echoBlock),
  ),
  repeated(
    "CONTINUATION without bytes (CVE-2024-28182)",
    "headerBlock",
    ({ continuationsMax }) => continuationsMax,
    frameBytes(CONTINUATION, 0, 1, []),
    frameBytes(HEADERS, 0, 1, echoBlock),
  ),
];

const withoutProgress: readonly FrameFlood[] = [
  repeated("SETTINGS (CVE-2019-9515)", "settingsFlood", ({ settingsRate }) => settingsRate.burst - 1, frameBytes(SETTINGS, 0, 0, [])),
  {
    name: "windows of 1,000 streams up and down by SETTINGS",
    opening: joined(...Array.from({ length: 1000 }, (_, place) => waitingCall(streamOf(place)))),
    round: (count) => frameBytes(SETTINGS, 0, 0, [0, SettingId.INITIAL_WINDOW_SIZE, ...uint32(count % 2 === 0 ? 0 : 0x7fffffff)]),
    roundsMax: ({ settingsRate }) => settingsRate.burst - 1,
    limit: "settingsFlood",
  },
  repeated("PING (CVE-2019-9512)", "pingFlood", () => pingStrikesMax + 1, frameBytes(PING, 0, 0, new Uint8Array(8))),
  repeated(
    "answers to pings that nobody sent",
    "idleFrameFlood",
    ({ idleFrameRate }) => idleFrameRate.burst,
    frameBytes(PING, Flag.ACK, 0, new Uint8Array(8)),
  ),
  repeated("SETTINGS with ACK", "idleFrameFlood", ({ idleFrameRate }) => idleFrameRate.burst, frameBytes(SETTINGS, Flag.ACK, 0, [])),
  repeated(
    "DATA without bytes (CVE-2019-9518)",
    "emptyDataFlood",
    ({ emptyDataRate }) => emptyDataRate.burst,
    frameBytes(DATA, 0, 1, []),
    openStream(1),
  ),
  repeated(
    "PRIORITY (CVE-2019-9513)",
    "priorityFlood",
    ({ priorityRate }) => priorityRate.burst,
    frameBytes(PRIORITY, 0, 1, [0, 0, 0, 0, 1]),
  ),
  repeated("unknown frames", "priorityFlood", ({ priorityRate }) => priorityRate.burst, frameBytes(0x55, 0, 0, [])),
  repeated(
    "WINDOW_UPDATE of 1 on the connection",
    "idleFrameFlood",
    ({ idleFrameRate }) => idleFrameRate.burst,
    frameBytes(WINDOW_UPDATE, 0, 0, uint32(1)),
  ),
  repeated(
    "WINDOW_UPDATE of 1 on a stream",
    "idleFrameFlood",
    ({ idleFrameRate }) => idleFrameRate.burst + idleFramesPerUsefulFrame,
    frameBytes(WINDOW_UPDATE, 0, 1, uint32(1)),
    waitingCall(1),
  ),
  repeated(
    "RST_STREAM on a stream that is closed",
    "idleFrameFlood",
    ({ idleFrameRate }) => idleFrameRate.burst,
    frameBytes(RST_STREAM, 0, 1, uint32(cancelCode)),
    joined(openStream(1), frameBytes(DATA, Flag.END_STREAM, 1, emptyMessage)),
  ),
  repeated(
    "padding",
    "paddingFlood",
    ({ paddingBytesMax }) => Math.ceil(paddingBytesMax / 255),
    frameBytes(DATA, Flag.PADDED, 1, [255, 0, ...new Uint8Array(255)]),
    openStream(1),
  ),
];

/** Every flood that a limit of its own stops. */
export const frameFloods: readonly FrameFlood[] = [...resets, ...headerBlocks, ...withoutProgress];
