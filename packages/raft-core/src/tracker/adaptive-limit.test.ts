import fc from "fast-check";
import { expect, test } from "vitest";
import { AdaptiveLimit } from "./adaptive-limit.ts";
import { InflightWindow } from "./inflight-window.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

interface Link {
  /** Steps until an append is answered. */
  readonly answerSteps: number;
  readonly proposalBytes: number;
  readonly proposalsPerStep: number;
  readonly appendBytesMax: number;
  readonly messagesMax: number;
  readonly windowBytesMax: number;
}

const link: Link = {
  answerSteps: 1,
  proposalBytes: 128,
  proposalsPerStep: 20,
  appendBytesMax: MIB,
  messagesMax: 256,
  windowBytesMax: 4 * MIB,
};

/** A leader that sends each proposal at once if it may, and else together with those that come meanwhile. */
class Sender {
  /** Bytes proposed and not sent. */
  waiting = 0;
  private readonly link: Link;
  private readonly window: InflightWindow;
  private readonly arrivals: { readonly atStep: number; readonly index: number }[] = [];
  private lastIndex = 0;
  private now = 0;

  constructor(link: Link) {
    this.link = link;
    this.window = new InflightWindow(link.messagesMax, link.windowBytesMax, true);
  }

  /** Lets time pass; the most appends that were on their way at once. */
  run(steps: number): number {
    let most = 0;
    for (const end = this.now + steps; this.now < end; this.now++) {
      while ((this.arrivals[0]?.atStep ?? Number.POSITIVE_INFINITY) <= this.now) this.window.release(this.arrivals.shift()?.index ?? 0);
      this.send();
      for (let proposal = 0; proposal < this.link.proposalsPerStep; proposal++) {
        this.waiting += this.link.proposalBytes;
        this.send();
      }
      most = Math.max(most, this.window.count);
    }
    return most;
  }

  private send(): void {
    while (this.waiting > 0 && !this.window.isFull) {
      const bytes = Math.min(this.waiting, this.link.appendBytesMax);
      this.waiting -= bytes;
      this.lastIndex++;
      this.window.add(this.lastIndex, bytes);
      this.arrivals.push({ atStep: this.now + this.link.answerSteps, index: this.lastIndex });
    }
    if (this.waiting > 0) this.window.blocked(Math.min(this.waiting, this.link.appendBytesMax));
  }
}

test("where answers take long, the limit follows as many big appends as the link has room for", () => {
  const wide = {
    ...link,
    answerSteps: 50,
    proposalBytes: 64 * KIB,
    proposalsPerStep: 1,
    appendBytesMax: 64 * KIB,
    windowBytesMax: 16 * MIB,
  };
  const sender = new Sender(wide);
  sender.run(2_000);
  expect(sender.run(500)).toBeGreaterThanOrEqual(50);
  expect(sender.waiting).toBeLessThan(MIB);
});

test("where answers come at once, small proposals travel together in few appends", () => {
  const sender = new Sender(link);
  sender.run(200);
  expect(sender.run(100)).toBe(2);
  expect(sender.waiting).toBeLessThan(20 * 128);
});

test("a limit that the link's good days raised comes down again when the appends are small", () => {
  const limit = new AdaptiveLimit(64, 4 * MIB);
  for (let round = 0; round < 4; round++) {
    limit.blocked(4 * MIB);
    answer(limit, limit.current, 64 * KIB);
  }
  expect(limit.current).toBe(64);
  answer(limit, 64 * 64, 100);
  expect(limit.current).toBe(2);
});

test("it is doubled once for as many answers as it allowed, however often the window was full meanwhile", () => {
  const limit = new AdaptiveLimit(256, 4 * MIB);
  const seen: number[] = [];
  for (let count = 0; count < 13; count++) {
    limit.blocked(16 * KIB);
    limit.blocked(16 * KIB);
    answer(limit, 1, 16 * KIB);
    seen.push(limit.current);
  }
  expect(seen).toEqual([4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 16, 16]);
});

test("it is lowered by one for as many small answers as it allowed", () => {
  const limit = new AdaptiveLimit(256, 4 * MIB);
  const seen: number[] = [];
  for (let count = 0; count < 9; count++) {
    answer(limit, 1, KIB - 1);
    seen.push(limit.current);
  }
  expect(seen).toEqual([4, 4, 4, 3, 3, 3, 2, 2, 2]);
});

test("it stays where appends are not small and nothing full-sized waits", () => {
  const limit = new AdaptiveLimit(256, 4 * MIB);
  for (let count = 0; count < 100; count++) {
    limit.blocked(16 * KIB - 1);
    answer(limit, 1, KIB);
  }
  expect(limit.current).toBe(4);
});

test("a window that is full by bytes is not allowed more messages", () => {
  const window = new InflightWindow(256, 4 * MIB, true);
  for (let index = 1; index <= 40; index++) {
    for (let message = 0; message < 4; message++) window.add(4 * index + message, MIB);
    window.blocked(100 * MIB);
    window.release(4 * index + 3);
  }
  for (let index = 1_000; !window.isFull; index++) window.add(index, 1);
  expect(window.count).toBe(4);
});

test("what counts as big and as small shrinks with a small window, and does not grow with an unlimited one", () => {
  const moved = (bytesMax: number, appendBytes: number): number => {
    const limit = new AdaptiveLimit(256, bytesMax);
    limit.blocked(appendBytes);
    answer(limit, 4, appendBytes);
    return limit.current;
  };
  expect([1600, 1599, 99].map((bytes) => moved(400 * KIB, bytes))).toEqual([8, 4, 3]);
  expect([16 * KIB, 16 * KIB - 1, KIB - 1].map((bytes) => moved(Number.POSITIVE_INFINITY, bytes))).toEqual([8, 4, 3]);
});

test("appends that were lost on their way teach nothing", () => {
  const limit = new AdaptiveLimit(256, 4 * MIB);
  limit.blocked(4 * MIB);
  answer(limit, 3, MIB);
  limit.restartRound();
  answer(limit, 4, MIB);
  expect(limit.current).toBe(4);
});

test("it never leaves the span from two to the maximum, which may be less than two", () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant("blocked" as const), bytes: fc.nat(8 * MIB) }),
    fc.record({ kind: fc.constant("released" as const), bytes: fc.oneof(fc.nat(200), fc.nat(2 * MIB)) }),
    fc.record({ kind: fc.constant("restarted" as const), bytes: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(8 * MIB), fc.array(event, { maxLength: 200 }), (messagesMax, bytesMax, events) => {
      const limit = new AdaptiveLimit(messagesMax, bytesMax);
      for (const { kind, bytes } of events) {
        if (kind === "blocked") limit.blocked(bytes);
        else if (kind === "released") limit.released(bytes);
        else limit.restartRound();
        expect(limit.current).toBeGreaterThanOrEqual(Math.min(2, messagesMax));
        expect(limit.current).toBeLessThanOrEqual(messagesMax);
      }
    }),
  );
});

function answer(limit: AdaptiveLimit, count: number, bytes: number): void {
  for (let i = 0; i < count; i++) limit.released(bytes);
}
