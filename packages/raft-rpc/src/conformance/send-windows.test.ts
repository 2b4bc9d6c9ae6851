import fc from "fast-check";
import { expect, test } from "vitest";
import { Flag, FrameType } from "../http2/frame.ts";
import { frameBytes, grpcRequestFields, type RawPeer, uint32 } from "../testing/raw-peer.ts";
import { type ServerFixture, startServer } from "../testing/server-fixture.ts";

const { WINDOW_UPDATE } = FrameType;
const path = "/x.Y/Big";
const prefixBytes = 5;
const firstBytes = 1000;

/** What a client may do to the windows and frames of a server that answers it. */
type Act =
  | { readonly kind: "request"; readonly bytes: number }
  | { readonly kind: "initialWindow" | "frameBytes"; readonly bytes: number }
  | { readonly kind: "credit"; readonly stream: number; readonly bytes: number }
  | { readonly kind: "reset"; readonly stream: number };

/** Keeps the books of RFC 9113 6.9 as a strict client does: DATA that it did not allow fails the test. */
class StrictClient {
  readonly #fixture: ServerFixture = startServer();
  readonly #client: RawPeer;
  readonly #windows = new Map<number, number>();
  readonly #expected = new Map<number, number>();
  #connectionWindow = 65_535;
  #initialWindow = 65_535;
  #frameBytesMax = 16_384;
  #nextId = 1;

  constructor() {
    // A short message first: what fits into one frame takes another way than what waits.
    this.#fixture.dispatcher.addStream(path, (call) => {
      call.send(new Uint8Array(firstBytes));
      call.send(new Uint8Array(Number(call.metadata.get("bytes"))));
      call.end();
    });
    this.#client = this.#fixture.startedPeer();
  }

  act(act: Act): void {
    switch (act.kind) {
      case "request":
        this.#request(act.bytes);
        break;
      case "initialWindow":
        for (const [id, window] of this.#windows) this.#windows.set(id, window + act.bytes - this.#initialWindow);
        this.#initialWindow = act.bytes;
        this.#client.send(this.#client.settings([[4, act.bytes]]));
        break;
      case "frameBytes":
        this.#frameBytesMax = act.bytes;
        this.#client.send(this.#client.settings([[5, act.bytes]]));
        break;
      case "credit":
        this.#credit(act.stream, act.bytes);
        break;
      case "reset":
        if (this.#windows.delete(act.stream)) this.#client.send(frameBytes(FrameType.RST_STREAM, 0, act.stream, uint32(8)));
        this.#expected.delete(act.stream);
    }
    this.#settle();
  }

  /** Allows everything that is left, and waits for the end of all calls. */
  finish(): void {
    this.#credit(0, 5_000_000);
    for (const id of [...this.#windows.keys()]) this.#credit(id, 2_000_000);
    this.#settle();
    expect(this.#client.goaway).toBe(null);
    for (const [id, bytes] of this.#expected) expect([id, this.#client.dataBytes(id), this.#client.status(id)]).toEqual([id, bytes, "0"]);
  }

  #request(bytes: number): void {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#windows.set(id, this.#initialWindow);
    this.#expected.set(id, firstBytes + bytes + 2 * prefixBytes);
    const fields = grpcRequestFields(path, [["bytes", String(bytes)]]);
    this.#client.send(this.#client.headers(id, fields), this.#client.data(id, new Uint8Array(prefixBytes), Flag.END_STREAM));
  }

  #credit(stream: number, bytes: number): void {
    const window = this.#windows.get(stream);
    if (stream === 0) this.#connectionWindow += bytes;
    else if (window === undefined) return;
    else this.#windows.set(stream, window + bytes);
    this.#client.send(frameBytes(WINDOW_UPDATE, 0, stream, uint32(bytes)));
  }

  #settle(): void {
    const seen = this.#client.frames.length;
    this.#fixture.clock.settle();
    for (const { type, streamId, payload } of this.#client.frames.slice(seen)) {
      if (type !== "DATA" || payload.length === 0) continue;
      const window = (this.#windows.get(streamId) ?? 0) - payload.length;
      this.#connectionWindow -= payload.length;
      if (this.#windows.has(streamId)) this.#windows.set(streamId, window);
      expect([payload.length <= this.#frameBytesMax, window >= 0, this.#connectionWindow >= 0]).toEqual([true, true, true]);
    }
    this.#checkProgress();
  }

  /** Nothing waits that may go. */
  #checkProgress(): void {
    if (this.#connectionWindow === 0) return;
    for (const [id, window] of this.#windows) {
      const isComplete = this.#client.dataBytes(id) === this.#expected.get(id);
      expect([id, window <= 0 || isComplete]).toEqual([id, true]);
    }
  }
}

const stream = fc.constantFrom(0, 0, 1, 3, 5, 7, 9);
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constant("request" as const), bytes: fc.integer({ min: 0, max: 100_000 }) }),
  fc.record({
    kind: fc.constant("initialWindow" as const),
    bytes: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 200_000 })),
  }),
  fc.record({ kind: fc.constant("frameBytes" as const), bytes: fc.integer({ min: 16_384, max: 100_000 }) }),
  fc.record({
    kind: fc.constant("credit" as const),
    stream,
    bytes: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 100_000 })),
  }),
  fc.record({ kind: fc.constant("reset" as const), stream: fc.constantFrom(1, 3, 5) }),
);

test("whatever a client does to its windows, no DATA overruns one, none waits that may go, and all of it comes in the end", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
      const client = new StrictClient();
      client.act({ kind: "request", bytes: 70_000 });
      for (const one of acts) client.act(one);
      client.finish();
    }),
    { numRuns: 300 },
  );
});
