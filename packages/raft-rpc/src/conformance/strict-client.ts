import { assert } from "../assert.ts";
import { Flag, FrameType } from "../http2/frame.ts";
import { frameBytes, grpcRequestFields, type RawPeer, uint32 } from "../testing/raw-peer.ts";
import { type ServerFixture, startServer } from "../testing/server-fixture.ts";

const { WINDOW_UPDATE } = FrameType;
const path = "/x.Y/Big";
const prefixBytes = 5;
const firstBytes = 1000;

/** What a client may do to the windows and frames of a server that answers it. */
export type Act =
  | { readonly kind: "request"; readonly bytes: number }
  | { readonly kind: "initialWindow" | "frameBytes"; readonly bytes: number }
  | { readonly kind: "credit"; readonly stream: number; readonly bytes: number }
  | { readonly kind: "reset"; readonly stream: number };

/** Keeps the books of RFC 9113 6.9 as a strict client does. Throws for DATA that it did not allow, and for DATA that waits for nothing. */
export class StrictClient {
  readonly #fixture: ServerFixture = startServer();
  readonly #client: RawPeer;
  readonly #windows = new Map<number, number>();
  readonly #expected = new Map<number, number>();
  /** What SETTINGS change when they are acknowledged: until then their old values bind the server (RFC 9113 6.5.3). */
  readonly #unacknowledged: (() => void)[] = [];
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
        this.#unacknowledged.push(() => this.#changeWindows(act.bytes));
        this.#client.send(this.#client.settings([[4, act.bytes]]));
        break;
      case "frameBytes":
        this.#unacknowledged.push(() => (this.#frameBytesMax = act.bytes));
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
    assert(this.#client.goaway === null, `The connection lives, but for ${this.#client.goaway}`);
    for (const [id, bytes] of this.#expected) {
      assert(this.#client.dataBytes(id) === bytes, `All ${bytes} bytes of stream ${id} come, not ${this.#client.dataBytes(id)}`);
      assert(this.#client.status(id) === "0", `Stream ${id} ends with its status`);
    }
  }

  #changeWindows(initialWindow: number): void {
    for (const [id, window] of this.#windows) this.#windows.set(id, window + initialWindow - this.#initialWindow);
    this.#initialWindow = initialWindow;
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
    for (const { type, flags, streamId, payload } of this.#client.frames.slice(seen)) {
      if (type === "SETTINGS" && (flags & Flag.ACK) !== 0) this.#unacknowledged.shift()?.();
      if (type !== "DATA" || payload.length === 0) continue;
      const window = (this.#windows.get(streamId) ?? 0) - payload.length;
      this.#connectionWindow -= payload.length;
      if (this.#windows.has(streamId)) this.#windows.set(streamId, window);
      assert(payload.length <= this.#frameBytesMax, `DATA of ${payload.length} bytes is within ${this.#frameBytesMax}`);
      assert(window >= 0, `DATA of ${payload.length} bytes is within the window of stream ${streamId}`);
      assert(this.#connectionWindow >= 0, `DATA of ${payload.length} bytes is within the window of the connection`);
    }
    this.#checkProgress();
  }

  /** Nothing waits that may go. */
  #checkProgress(): void {
    if (this.#connectionWindow === 0) return;
    for (const [id, window] of this.#windows) {
      const isComplete = this.#client.dataBytes(id) === this.#expected.get(id);
      assert(window <= 0 || isComplete, `Stream ${id} does not wait with a window of ${window}`);
    }
  }
}
