import { assert } from "../../assert.ts";
import { type InputOwner, MessageInput, messagePrefixBytes } from "../../grpc/message-input.ts";
import { PartialBudget } from "../../grpc/partial-budget.ts";
import { StatusCode, statusName } from "../../grpc/status.ts";
import { readUint32 } from "../../http2/frame.ts";
import { hex } from "../../testing/raw-peer.ts";
import { messageCorpus } from "./corpus/messages.ts";
import type { FuzzTarget } from "./fuzz-run.ts";
import { Mutator } from "./mutator.ts";
import type { SeededRandom } from "./seeded-random.ts";

const messageBytesMax = 4096;
const streamWindowBytes = 512;
const budgetBytes = 8192;

/** The connection of the one stream. */
class FuzzOwner implements InputOwner {
  readonly messageBytesMax = messageBytesMax;
  readonly streamWindowBytes = streamWindowBytes;
  readonly partialBudget = new PartialBudget(budgetBytes);
  queuedBytes = 0;
  partialBytes = 0;

  openingWindowBytes(): number {
    return streamWindowBytes;
  }

  messagesRead(count: number): void {
    assert(count > 0, "No work is no work");
  }

  holdPartial(byteCount: number): void {
    this.partialBytes += byteCount;
  }

  holdQueued(byteCount: number): void {
    this.queuedBytes += byteCount;
  }

  grantStream(_streamId: number, byteCount: number): void {
    assert(byteCount > 0 && byteCount <= messageBytesMax + streamWindowBytes, "A grant is no more than a message and a window");
  }
}

class FuzzInput extends MessageInput {
  readonly messages: Uint8Array[] = [];
  end: "none" | "ended" | StatusCode = "none";
  isPaused = false;

  constructor(owner: InputOwner) {
    super();
    this.openInput(owner);
  }

  override deadlinePassed(): void {
    throw new Error("Nothing was set");
  }

  protected override messageReceived(message: Uint8Array): void {
    assert(!this.isPaused && this.end === "none", "No message comes while paused, and none behind the end");
    this.messages.push(message);
  }

  protected override inputEnded(): void {
    assert(this.end === "none", "An input ends once");
    this.end = "ended";
  }

  protected override inputFailed(code: StatusCode): void {
    assert(this.end === "none", "An input ends once");
    this.end = code;
    this.stopInput();
  }
}

/** gRPC's framing of messages: whatever the cuts and pauses, the same messages as a plain reading gives, within the window. */
export class MessageTarget implements FuzzTarget {
  readonly name = "message framing";
  readonly #corpus = messageCorpus.map(hex);
  readonly #mutator = new Mutator(4096);

  makeInput(random: SeededRandom): Uint8Array {
    return this.#mutator.mutate(random.pick(this.#corpus), this.#corpus, random);
  }

  execute(input: Uint8Array, random: SeededRandom): string {
    const owner = new FuzzOwner();
    const stream = new FuzzInput(owner);
    for (let at = 0; at < input.length && stream.end === "none"; ) {
      if (random.oneIn(8)) pause(stream);
      else if (random.oneIn(2)) resume(stream);
      if (stream.receiveWindow <= 0) resume(stream);
      assert(stream.receiveWindow > 0, "A reader that takes everything gets window");
      const count = Math.min(1 + random.below(700), input.length - at, stream.receiveWindow);
      stream.receiveWindow -= count;
      stream.receiveData(input, at, at + count, at + count === input.length);
      at += count;
      assert(stream.receiveWindow <= messageBytesMax + streamWindowBytes, "The window is bounded");
      assert(owner.queuedBytes <= messageBytesMax + 2 * streamWindowBytes, "What waits is bounded by the window");
      assert(owner.partialBudget.heldBytes <= messageBytesMax, "An incomplete message takes its own length");
    }
    if (stream.end === "none") stream.receiveEnd();
    resume(stream);
    return compare(input, stream, owner);
  }
}

function pause(stream: FuzzInput): void {
  stream.isPaused = true;
  stream.pauseInput();
}

function resume(stream: FuzzInput): void {
  stream.isPaused = false;
  stream.resumeInput();
}

/** Reads the input without any machinery, and finds the same. */
function compare(input: Uint8Array, stream: FuzzInput, owner: FuzzOwner): string {
  let at = 0;
  let taken = 0;
  let end: FuzzInput["end"] = "ended";
  while (at < input.length) {
    if (input.length - at < messagePrefixBytes) {
      end = StatusCode.INTERNAL;
      break;
    }
    const length = readUint32(input, at + 1);
    if (input[at] !== 0) end = StatusCode.INTERNAL;
    else if (length > messageBytesMax) end = StatusCode.RESOURCE_EXHAUSTED;
    else if (input.length - at - messagePrefixBytes < length) end = StatusCode.INTERNAL;
    if (end !== "ended") break;
    const message = input.subarray(at + messagePrefixBytes, at + messagePrefixBytes + length);
    const given = stream.messages[taken];
    // A failure takes away what waited for a paused reader.
    if (given === undefined) break;
    assert(given.length === length && given.every((octet, place) => octet === message[place]), "A message arrives as it was sent");
    taken++;
    at += messagePrefixBytes + length;
  }
  assert(stream.messages.length === taken, "No message was invented");
  if (at < input.length && end === "ended") {
    assert(typeof stream.end === "number", "Messages are lost by failures alone");
  } else {
    assert(stream.end === end, `The end is ${stream.end}, expected ${end}`);
  }
  assert(owner.queuedBytes === 0 && owner.partialBytes === 0, "No bytes are kept");
  assert(owner.partialBudget.heldBytes === 0 && owner.partialBudget.waitingCount === 0, "Nothing is kept of the budget");
  return typeof stream.end === "number" ? statusName(stream.end) : "ended";
}
