import { type DeadlineWheel, WheelTimer } from "../grpc/deadline-wheel.ts";
import type { RpcLimits } from "../limits.ts";
import { FloodError } from "./flood-error.ts";
import type { FloodGuard } from "./flood-guard.ts";
import {
  ConnectionError,
  ErrorCode,
  Flag,
  FrameType,
  frameSizeError,
  frameSizeMax,
  frameSizeMin,
  initialWindowBytes,
  protocolError,
  readUint32,
  SettingId,
  windowBytesMax,
} from "./frame.ts";
import type { SendSide } from "./send-side.ts";
import type { Http2Stream } from "./stream.ts";

export interface SettingsExchangeOptions {
  readonly send: SendSide;
  readonly streams: { values(): Iterable<Http2Stream> };
  readonly guard: FloodGuard;
  readonly wheel: DeadlineWheel;
  /** `streamWindowBytes` of them is our INITIAL_WINDOW_SIZE. */
  readonly limits: RpcLimits;
  /** Largest ENABLE_PUSH that the peer may send (RFC 9113 6.5.2). */
  readonly enablePushMax: 0 | 1;
  /** The peer did not acknowledge our SETTINGS within `settingsTimeoutMs`. */
  readonly onTimeout: () => void;
}

/**
 * SETTINGS in both directions (RFC 9113 6.5).
 *
 *   ours:        start() --> sent --(ACK)--> they bind the peer       without ACK in time: onTimeout
 *   the peer's:  SETTINGS --> applied to our send side and streams --> ACK
 */
export class SettingsExchange {
  /** The peer's first SETTINGS came: it speaks HTTP/2. */
  received = false;
  peerConcurrentStreamsMax = Number.POSITIVE_INFINITY;
  /** Receive window of a stream that is opened now: before the ACK, the peer may count on the initial value. */
  openingWindowBytes: number;
  readonly #options: SettingsExchangeOptions;
  readonly #timer = new WheelTimer(() => this.#options.onTimeout());

  constructor(options: SettingsExchangeOptions) {
    this.#options = options;
    this.openingWindowBytes = Math.max(options.limits.streamWindowBytes, initialWindowBytes);
  }

  /** Puts out our SETTINGS; called once. */
  start(settings: readonly (readonly [number, number])[], nowMs: number): void {
    this.#options.send.output.settings(settings);
    this.#options.wheel.set(this.#timer, nowMs + this.#options.limits.settingsTimeoutMs);
  }

  stop(): void {
    this.#options.wheel.clear(this.#timer);
  }

  /** ACK of our SETTINGS: from here on our INITIAL_WINDOW_SIZE binds the peer. */
  acknowledged(): void {
    this.stop();
    const { streams } = this.#options;
    const { streamWindowBytes } = this.#options.limits;
    const lost = this.openingWindowBytes - streamWindowBytes;
    this.openingWindowBytes = streamWindowBytes;
    if (lost > 0) for (const stream of streams.values()) stream.lowerWindow(lost);
  }

  /**
   * Applies SETTINGS of the peer, in their order, and acknowledges them before anything is sent that they allow: until the ACK the peer may
   * count with its old values (RFC 9113 6.5.3). Throws ConnectionError.
   */
  receive(bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    const length = end - start;
    if (length % 6 !== 0) throw frameSizeError("SETTINGS", length);
    const { settingsEntriesMax } = this.#options.limits;
    if (length > settingsEntriesMax * 6) {
      throw new FloodError("settingsFlood", `SETTINGS has ${length / 6} entries, more than ${settingsEntriesMax}`);
    }
    this.#options.guard.settings(nowMs);
    const { send, streams } = this.#options;
    const windowBefore = send.peerInitialWindow;
    for (let at = start; at < end; at += 6) {
      this.#apply(((bytes[at] as number) << 8) | (bytes[at + 1] as number), readUint32(bytes, at + 2));
    }
    this.received = true;
    send.output.beginFrame(0, FrameType.SETTINGS, Flag.ACK, 0);
    send.controlFrame();
    if (send.peerInitialWindow > windowBefore) for (const stream of streams.values()) send.wake(stream);
  }

  #apply(id: number, value: number): void {
    switch (id) {
      case SettingId.ENABLE_PUSH:
        if (value > this.#options.enablePushMax) throw protocolError(`ENABLE_PUSH is ${value}`);
        break;
      case SettingId.MAX_CONCURRENT_STREAMS:
        this.peerConcurrentStreamsMax = value;
        break;
      case SettingId.INITIAL_WINDOW_SIZE:
        this.#applyInitialWindow(value);
        break;
      case SettingId.MAX_FRAME_SIZE:
        if (value < frameSizeMin || value > frameSizeMax) throw protocolError(`MAX_FRAME_SIZE is ${value}`);
        this.#options.send.peerFrameBytesMax = value;
        break;
      // Our encoder keeps no table and sends small header lists, and unknown settings are ignored (RFC 9113 6.5.2).
    }
  }

  #applyInitialWindow(value: number): void {
    if (value > windowBytesMax) throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, `INITIAL_WINDOW_SIZE is ${value}`);
    const { send, streams } = this.#options;
    const rises = value > send.peerInitialWindow;
    send.peerInitialWindow = value;
    if (!rises) return;
    for (const { id, sendCredit } of streams.values()) {
      if (sendCredit + value > windowBytesMax) {
        throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, `INITIAL_WINDOW_SIZE ${value} lifts stream ${id} above 2^31-1`);
      }
    }
  }
}
