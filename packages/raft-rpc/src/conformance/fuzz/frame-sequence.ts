import { frameHeaderBytes } from "../../http2/frame.ts";
import { hex } from "../../testing/raw-peer.ts";
import type { Conversation } from "./corpus/conversations.ts";
import { frameCorpus } from "./corpus/frames.ts";
import { Mutator } from "./mutator.ts";
import type { SeededRandom } from "./seeded-random.ts";

const payloadBytesMax = 2048;
const editsMax = 4;
const streamIds = [0, 1, 1, 1, 3, 3, 5, 2, 0x7fffffff];
const flagChoices = [0, 1, 4, 5, 8, 0x0d, 0x20, 0x2c, 0xff];

/**
 * Conversations that go wrong somewhere: frames are lost, doubled, exchanged, inserted from the corpus, or damaged. A damaged payload gets
 * a fitting length, so that what stands behind it is still read as frames; rarely the bytes themselves move.
 */
export class FrameSequences {
  readonly #conversations: readonly (readonly Uint8Array[])[];
  readonly #frames = frameCorpus.map(hex);
  readonly #mutator = new Mutator(payloadBytesMax);

  constructor(conversations: readonly Conversation[]) {
    this.#conversations = conversations.map((frames) => frames.map(hex));
  }

  make(random: SeededRandom): Uint8Array {
    const frames = [...random.pick(this.#conversations)];
    for (let edits = 1 + random.below(editsMax); edits > 0; edits--) this.#edit(frames, random);
    const bytes = join(frames);
    return random.oneIn(16) ? this.#mutator.mutate(bytes, this.#frames, random) : bytes;
  }

  #edit(frames: Uint8Array[], random: SeededRandom): void {
    const place = random.below(frames.length + 1);
    const frame = frames[place];
    const choice = random.below(8);
    if (frame === undefined || choice === 0) frames.splice(place, 0, random.pick(this.#frames));
    else if (choice === 1) frames.splice(place, 1);
    else if (choice === 2) frames.splice(place, 0, frame);
    else if (choice === 3) frames.push(...frames.splice(place, 1));
    else if (choice === 4) frames[place] = withHeader(frame, random);
    else frames[place] = this.#withPayload(frame, random);
  }

  #withPayload(frame: Uint8Array, random: SeededRandom): Uint8Array {
    const payload = this.#mutator.mutate(frame.subarray(frameHeaderBytes), this.#frames, random);
    const bytes = join([frame.subarray(0, frameHeaderBytes), payload]);
    new DataView(bytes.buffer).setUint16(1, payload.length);
    return bytes;
  }
}

function withHeader(frame: Uint8Array, random: SeededRandom): Uint8Array {
  const bytes = frame.slice();
  const view = new DataView(bytes.buffer);
  switch (random.below(8)) {
    case 0:
      view.setUint8(3, random.below(12));
      break;
    case 1:
      view.setUint8(random.below(frameHeaderBytes), random.below(256));
      break;
    case 2:
    case 3:
    case 4:
      view.setUint8(4, random.pick(flagChoices));
      break;
    default:
      view.setUint32(5, random.pick(streamIds));
  }
  return bytes;
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
