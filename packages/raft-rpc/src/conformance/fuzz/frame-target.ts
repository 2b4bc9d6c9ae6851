import { assert } from "../../assert.ts";
import { type ControlFrameSink, paddingLength, readControlFrame } from "../../http2/control-frames.ts";
import { ConnectionError, errorName, Flag, FrameType, frameHeaderBytes } from "../../http2/frame.ts";
import { FrameReader, type FrameSink } from "../../http2/frame-reader.ts";
import { clientConversations, serverConversations } from "./corpus/conversations.ts";
import { FrameSequences } from "./frame-sequence.ts";
import type { FuzzTarget } from "./fuzz-run.ts";
import type { SeededRandom } from "./seeded-random.ts";

const payloadMax = 16_384;
const cutBytesMax = 40;

/** Sums up what it is given, so that two readings can be compared. */
class DigestSink implements FrameSink, ControlFrameSink {
  frames = 0;
  digest = 0;

  frame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): boolean {
    assert(start <= end && end <= bytes.length && end - start <= payloadMax, "A payload lies in its bytes");
    this.frames++;
    this.#add(type, flags);
    this.#add(streamId, end - start);
    for (let at = start; at < end; at++) this.#add(bytes[at] as number);
    if (type === FrameType.DATA || type === FrameType.HEADERS) {
      if ((flags & Flag.PADDED) !== 0) this.#add(paddingLength("frame", bytes, start, end));
    } else if (type !== FrameType.CONTINUATION) {
      readControlFrame(this, type, flags, streamId, bytes, start, end);
    }
    return true;
  }

  priorityFrame(streamId: number, payloadBytes: number): void {
    this.#add(streamId, payloadBytes);
  }

  rstStreamFrame(streamId: number, code: number): void {
    this.#add(streamId, code);
  }

  settingsFrame(_bytes: Uint8Array, start: number, end: number): void {
    this.#add(end - start);
  }

  settingsAckFrame(): void {
    this.#add(1);
  }

  pingFrame(payload: Uint8Array): void {
    assert(payload.length === 8, "PING has 8 octets");
  }

  pingAckFrame(payload: Uint8Array): void {
    this.pingFrame(payload);
  }

  goawayFrame(lastStreamId: number, code: number, debug: Uint8Array): void {
    assert(lastStreamId >= 0 && code >= 0, "Numbers of GOAWAY have no sign");
    this.#add(lastStreamId, code);
    this.#add(debug.length);
  }

  windowUpdateFrame(streamId: number, increment: number): void {
    assert(increment >= 0 && increment <= 0x7fffffff, "An increment has 31 bits");
    this.#add(streamId, increment);
  }

  unknownFrame(): void {
    this.#add(2);
  }

  #add(first: number, second = 0): void {
    this.digest = (Math.imul(this.digest, 961) + Math.imul(first, 31) + second) >>> 0;
  }
}

/** The frame reader and the form of frames: the same frames and the same error however the bytes are cut. */
export class FrameTarget implements FuzzTarget {
  readonly name = "frame parser";
  readonly #sequences = new FrameSequences([...clientConversations, ...serverConversations]);

  makeInput(random: SeededRandom): Uint8Array {
    return this.#sequences.make(random);
  }

  execute(input: Uint8Array, random: SeededRandom): string {
    const whole = new DigestSink();
    const outcome = read(input, whole, input.length, random);
    const cut = new DigestSink();
    const cutOutcome = read(input, cut, cutBytesMax, random);
    assert(outcome === cutOutcome, `Whole it was ${outcome}, cut it was ${cutOutcome}`);
    assert(whole.digest === cut.digest && whole.frames === cut.frames, "Cuts change nothing");
    return outcome;
  }
}

function read(input: Uint8Array, sink: DigestSink, pieceBytesMax: number, random: SeededRandom): string {
  const reader = new FrameReader(sink, payloadMax);
  try {
    for (let at = 0; at < input.length; ) {
      const next = at + (pieceBytesMax >= input.length ? input.length : 1 + random.below(pieceBytesMax));
      reader.read(input.subarray(at, next), 0);
      assert(reader.retainedBytes <= frameHeaderBytes + payloadMax, "The reader keeps one frame at most");
      at = next;
    }
  } catch (error) {
    if (error instanceof ConnectionError) return errorName(error.code);
    throw error;
  }
  return reader.retainedBytes > 0 ? "cut off" : "whole";
}
