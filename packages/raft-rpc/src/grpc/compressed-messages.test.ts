import fc from "fast-check";
import { expect, test } from "vitest";
import { assert } from "../assert.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { grpcMessage, uint32 } from "../testing/raw-peer.ts";
import { RunCompressor } from "../testing/run-compressor.ts";
import { CompressedOutput, type MessageSink } from "./compressed-output.ts";
import { type InputOwner, MessageInput } from "./message-input.ts";
import { PartialBudget } from "./partial-budget.ts";
import type { StatusCode } from "./status.ts";

const streamWindowBytes = 4096;

class RecordingInput extends MessageInput {
  readonly lengths: (number | string)[] = [];
  isPaused = false;

  constructor(owner: InputOwner, compressor: RunCompressor) {
    super();
    this.inflation = { compressor, atEnd: false, job: null };
    this.openInput(owner);
  }

  override deadlinePassed(): void {
    throw new Error("Nothing was set");
  }

  protected override messageReceived(message: Uint8Array): void {
    assert(!this.isPaused, "No message comes while paused");
    this.lengths.push(message.length);
  }

  protected override inputEnded(): void {
    this.lengths.push("end");
  }

  protected override inputFailed(code: StatusCode, message: string): void {
    throw new Error(`Input failed with ${code}: ${message}`);
  }
}

const message = fc.record({ byteCount: fc.integer({ min: 0, max: 3000 }), isCompressed: fc.boolean() });

test("compressed and other messages arrive in order, however they are cut, paused and delayed, and all window comes back", () => {
  const pauses = fc.array(fc.record({ atMs: fc.integer({ min: 0, max: 400 }), pause: fc.boolean() }), { maxLength: 10 });
  const cuts = fc.infiniteStream(fc.integer({ min: 1, max: 700 }));
  const delays = fc.infiniteStream(fc.integer({ min: 0, max: 20 }));
  fc.assert(
    fc.property(fc.array(message, { maxLength: 20 }), cuts, delays, pauses, (messages, cutAt, delayMs, toggles) => {
      const clock = new ManualClock();
      const compressor = new RunCompressor({ clock, delayMs: () => delayMs.next().value });
      let heldBytes = 0;
      const input = new RecordingInput(
        {
          messageBytesMax: 3000,
          streamWindowBytes,
          partialBudget: new PartialBudget(1 << 20),
          openingWindowBytes: () => streamWindowBytes,
          holdQueued: (byteCount) => (heldBytes += byteCount),
          messagesRead: () => {},
          holdPartial: () => {},
          grantStream: () => {},
        },
        compressor,
      );
      for (const { atMs, pause } of toggles) {
        clock.setTimer(atMs, () => {
          input.isPaused = pause;
          if (pause) input.pauseInput();
          else input.resumeInput();
        });
      }
      const wire = messages.flatMap(({ byteCount, isCompressed }) => {
        const run = RunCompressor.run(1, byteCount);
        return isCompressed ? [1, ...uint32(run.length), ...run] : [...grpcMessage(new Uint8Array(byteCount))];
      });
      const bytes = Uint8Array.from(wire);
      for (let at = 0; at < bytes.length; ) {
        if (input.receiveWindow <= 0) {
          // A peer that obeys waits; a handler that paused goes on some time.
          clock.advance(500);
          input.isPaused = false;
          input.resumeInput();
          clock.advance(500);
          continue;
        }
        const end = Math.min(bytes.length, at + Math.min(cutAt.next().value, input.receiveWindow));
        input.receiveWindow -= end - at;
        input.receiveData(bytes, at, end, false);
        at = end;
        clock.advance(3);
      }
      input.receiveEnd();
      clock.advance(1000);
      input.isPaused = false;
      input.resumeInput();
      clock.advance(1000);
      expect(input.lengths).toEqual([...messages.map(({ byteCount }) => byteCount), "end"]);
      expect([heldBytes, compressor.running, compressor.runningMax <= 1]).toEqual([0, 0, true]);
    }),
    { numRuns: 200 },
  );
});

test("messages leave in order through the compressor, and a sender that obeys is told when it may go on", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 40 });
  const delays = fc.infiniteStream(fc.integer({ min: 0, max: 20 }));
  const answers = fc.infiniteStream(fc.boolean());
  fc.assert(
    fc.property(sizes, delays, answers, (left, delayMs, takes) => {
      const clock = new ManualClock();
      const compressor = new RunCompressor({ clock, delayMs: () => delayMs.next().value });
      const written: number[] = [];
      const waiting = [...left];
      let ends = 0;
      let isEnded = false;
      let waitingBytesMax = 0;
      const sink: MessageSink = {
        writeMessage(bytes, compressed) {
          const [, high = 0, middle = 0, low = 0] = bytes;
          written.push(compressed === 1 ? (high << 16) | (middle << 8) | low : bytes.length);
          const hasRoom = takes.next().value;
          if (!hasRoom) clock.setTimer(5, () => output.drained());
          return hasRoom;
        },
        outputDrained: () => sendMore(),
      };
      const output = new CompressedOutput(compressor, sink);
      const sendMore = (): void => {
        if (isEnded) return;
        for (let size = waiting.shift(); size !== undefined; size = waiting.shift()) {
          const hasRoom = output.send(new Uint8Array(size));
          waitingBytesMax = Math.max(waitingBytesMax, output.waitingBytes);
          if (!hasRoom && waiting.length > 0) return;
        }
        isEnded = true;
        output.afterAll(() => ends++);
      };
      sendMore();
      clock.advance(5000);
      expect([written, ends, output.waitingBytes, compressor.running]).toEqual([left, 1, 0, 0]);
      expect(compressor.runningMax).toBeLessThanOrEqual(1);
      expect(waitingBytesMax).toBeLessThanOrEqual(64 * 1024 + 40_000);
    }),
    { numRuns: 200 },
  );
});
