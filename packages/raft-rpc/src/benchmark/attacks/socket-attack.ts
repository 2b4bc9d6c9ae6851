import { clientOpening, echoPath, frameFloods, joined } from "../../conformance/attacks/frame-floods.ts";
import { clientPreface, Flag, FrameType, SettingId } from "../../http2/frame.ts";
import { frameBytes, grpcRequestFields, headerBlock, uint32 } from "../../testing/raw-peer.ts";
import { clientHello } from "./client-hello.ts";

/** What an attacker does on its sockets. */
export interface SocketAttack {
  readonly name: string;
  /** Which of the server's ports it goes to. */
  readonly port: "plain" | "secure";
  /** Sockets at a time. One that the server closes is replaced. */
  readonly sockets: number;
  /** Sent on each socket; then it waits to be closed. */
  readonly bytes: Uint8Array;
  /** False: what the server sends is not read. */
  readonly reads: boolean;
  /** True: it is not closed by the server only, but also by the attacker, as soon as it was answered. */
  readonly leaves?: true;
}

/** A method of the server that answers with 1 MiB. */
export const largeAnswerPath = "/x.Y/LargeAnswer";

/** A flood is made in advance: this many rounds, or bytes if that is less. More than any server of ours takes before it closes. */
const roundsMade = 12_000;
const bytesMade = 512 * 1024;

const echoBlock = headerBlock(grpcRequestFields(echoPath));
const { DATA, HEADERS, PING } = FrameType;

function madeRounds(round: (count: number) => Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  let byteCount = 0;
  for (let count = 0; count < roundsMade && byteCount < bytesMade; count++) {
    const piece = round(count);
    pieces.push(piece);
    byteCount += piece.length;
  }
  return joined(...pieces);
}

const floods: readonly SocketAttack[] = frameFloods.map(({ name, opening, round }) => ({
  name,
  port: "plain",
  sockets: 4,
  bytes: joined(clientOpening(), opening, madeRounds(round)),
  reads: true,
}));

/** Streams that begin and do not go on, up to the limit of a connection. */
function openStreams(dataBytes: number): Uint8Array {
  const data = joined(Uint8Array.of(0, ...uint32(2_000_000)), new Uint8Array(dataBytes));
  const streams = Array.from({ length: 1000 }, (_, place) =>
    joined(frameBytes(HEADERS, Flag.END_HEADERS, 1 + 2 * place, echoBlock), frameBytes(DATA, 0, 1 + 2 * place, data)),
  );
  return joined(clientOpening(), ...streams);
}

/** Requests for answers that are never read. */
function unreadAnswers(window: number): Uint8Array {
  const block = headerBlock(grpcRequestFields(largeAnswerPath));
  const calls = Array.from({ length: 60 }, (_, place) =>
    joined(
      frameBytes(HEADERS, Flag.END_HEADERS, 1 + 2 * place, block),
      frameBytes(DATA, Flag.END_STREAM, 1 + 2 * place, new Uint8Array(5)),
    ),
  );
  return joined(clientOpening([[SettingId.INITIAL_WINDOW_SIZE, window]]), ...calls);
}

/** A TLS record that is whole, and says: a ClientHello of 512 octets follows. */
const helloBegin = Uint8Array.of(0x16, 3, 1, 0, 4, 1, 0, 2, 0);
const hello = await clientHello();

const held = { sockets: 200, reads: true, port: "plain" } as const;

const others: readonly SocketAttack[] = [
  { ...held, name: "idle connections", bytes: clientOpening() },
  { ...held, name: "silence instead of a preface", bytes: new Uint8Array(0) },
  { ...held, name: "half a preface", bytes: clientPreface.subarray(0, 12) },
  { ...held, name: "half a header block", bytes: joined(clientOpening(), frameBytes(HEADERS, 0, 1, echoBlock)) },
  { ...held, name: "streams that wait for their request", sockets: 8, bytes: openStreams(10) },
  { ...held, name: "large messages that were begun", sockets: 8, bytes: openStreams(16_000) },
  { ...held, name: "answers without window", sockets: 8, bytes: unreadAnswers(0) },
  { ...held, name: "answers that nobody reads", sockets: 8, bytes: unreadAnswers(0x7fffffff), reads: false },
  {
    ...held,
    name: "pings whose answers nobody reads",
    sockets: 4,
    bytes: joined(clientOpening(), ...Array.from({ length: 5000 }, () => frameBytes(PING, 0, 0, new Uint8Array(8)))),
    reads: false,
  },
  {
    ...held,
    name: "frames that are too large",
    sockets: 4,
    bytes: joined(clientOpening(), frameBytes(DATA, 0, 1, new Uint8Array(70_000))),
  },
  { ...held, name: "HTTP/1.1 and other noise", sockets: 4, bytes: new Uint8Array(10_000).fill(0x47) },
  { ...held, name: "TLS handshakes that do not begin", port: "secure", bytes: new Uint8Array(0) },
  { ...held, name: "half a TLS record", port: "secure", bytes: helloBegin.subarray(0, 8) },
  { ...held, name: "TLS handshakes that do not go on", port: "secure", bytes: helloBegin },
  { ...held, name: "TLS handshakes that stop at the server's answer", port: "secure", bytes: hello },
  { ...held, name: "TLS handshakes that are left when they are answered", port: "secure", bytes: hello, leaves: true },
  { ...held, name: "noise on the TLS port", port: "secure", sockets: 4, bytes: new Uint8Array(1000).fill(0x55) },
];

export const socketAttacks: readonly SocketAttack[] = [...floods, ...others];
