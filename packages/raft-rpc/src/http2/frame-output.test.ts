import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameType, frameHeaderBytes } from "./frame.ts";
import { FrameOutput } from "./frame-output.ts";

/** A reader of what was taken, which is done with it when it says so. */
class Reader {
  readonly output = new FrameOutput(() => this.held.length === 0);
  readonly held: Uint8Array[] = [];
  received = "";

  take(): void {
    this.held.push(this.output.take());
  }

  /** Reads what is held: only now, when anything may have been written since it was taken. */
  finish(): void {
    for (const bytes of this.held.splice(0)) this.received += Buffer.from(bytes).toString("hex");
  }
}

function frameHex(payload: Uint8Array): string {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUIntBE(payload.length, 0, 3);
  return Buffer.concat([header, payload]).toString("hex");
}

const step = fc.oneof(
  fc.record({ kind: fc.constant("frame" as const), bytes: fc.oneof(fc.nat(20), fc.nat(5_000), fc.nat(200_000)) }),
  fc.record({ kind: fc.constant("take" as const) }),
  fc.record({ kind: fc.constant("finish" as const) }),
);

test("whatever is taken and read when, all frames come as they were written and in their order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const reader = new Reader();
      let sent = "";
      for (const [place, one] of steps.entries()) {
        if (one.kind === "take") reader.take();
        else if (one.kind === "finish") reader.finish();
        else {
          const payload = new Uint8Array(one.bytes).fill(place);
          reader.output.bytesFrame(FrameType.DATA, 0, 0, payload);
          sent += frameHex(payload);
        }
      }
      reader.take();
      reader.finish();
      expect(reader.received).toBe(sent);
    }),
  );
});

function takenFrame(output: FrameOutput, payloadBytes: number): Uint8Array {
  output.bytesFrame(FrameType.DATA, 0, 1, new Uint8Array(payloadBytes));
  return output.take();
}

test("memory that is read no more is used again from its front; while it is read, what comes is written behind it", () => {
  let isFree = true;
  const output = new FrameOutput(() => isFree);
  const first = takenFrame(output, 100);
  const second = takenFrame(output, 200);
  expect([second.buffer === first.buffer, second.byteOffset]).toEqual([true, 0]);
  isFree = false;
  const third = takenFrame(output, 300);
  expect([third.buffer === first.buffer, third.byteOffset]).toEqual([true, second.length]);
});

test("memory that grew for a peer that did not read is given back", () => {
  const output = new FrameOutput(() => true);
  const large = takenFrame(output, 1_000_000);
  const next = takenFrame(output, 100);
  expect(large.buffer.byteLength).toBeGreaterThan(1_000_000);
  expect(next.buffer.byteLength).toBe(64 * 1024);
});
