import { CodecError, decodeWatchRequest } from "@raftkv/api";
import { type Watcher, type WatchHub, type WatchLimits, type WatchNotice, type WatchSink, WatchStream } from "@raftkv/kvstore";
import type { Clock, Timer } from "@raftkv/raft-node";
import { StatusCode, type StreamCall, type StreamCallHandlers } from "@raftkv/raft-rpc";
import type { EtcdError } from "../services/etcd/etcd-error.ts";
import { EventFragments } from "./event-fragments.ts";
import type { WatchResponseEncoder } from "./watch-response-encoder.ts";

export interface WatchCallOptions {
  readonly hub: WatchHub;
  readonly encoder: WatchResponseEncoder;
  readonly limits: WatchLimits;
  /** From here on a response is sent in parts to those who allow it. */
  readonly fragmentBytes: number;
  /** Between two looks at which watchers were quiet. */
  readonly progressMs: number;
  readonly clock: Clock;
  /** The call is over, whoever ended it. Called once. */
  readonly onOver: (call: WatchCall) => void;
}

/** Until watchers that begin in the past get their first events, so that these come in a later packet than the confirmation. */
export const beginDelayMs = 10;
/** What the header, the id and the flag of a response take at most. */
const responseFixedBytes = 64;
const responseTooLarge: EtcdError = {
  code: StatusCode.RESOURCE_EXHAUSTED,
  message: "raftkv: the events of one revision are too large for a response",
};

/**
 * One `Watch` call. While the client does not read, neither are its requests read nor its watchers served: what waits is one response at
 * most, next to what the connection holds already.
 */
export class WatchCall implements StreamCallHandlers, WatchSink {
  private readonly call: StreamCall;
  private readonly options: WatchCallOptions;
  private readonly stream: WatchStream;
  private fragments: EventFragments | null = null;
  private progressTimer: Timer | null = null;
  private beginTimer: Timer | null = null;
  private isOver = false;

  constructor(call: StreamCall, options: WatchCallOptions) {
    this.call = call;
    this.options = options;
    this.stream = new WatchStream(options.hub, this, options.limits);
    call.setHandlers(this);
  }

  // ---- From the client

  onMessage(bytes: Uint8Array): void {
    if (this.isOver) return;
    try {
      this.serve(bytes);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.end({ code: StatusCode.INTERNAL, message: `grpc: error unmarshalling request: ${error.message}` });
    }
  }

  onEnd(): void {
    // Changes nothing: the watchers go on.
  }

  onCancel(): void {
    this.close();
  }

  onDrain(): void {
    if (this.isOver || !this.sendWhatIsLeft()) return;
    this.stream.drained();
    this.call.resume();
  }

  // ---- From the stream

  notify(notice: WatchNotice): boolean {
    try {
      return this.send(this.options.encoder.notice(notice));
    } catch (error) {
      return this.failed(error);
    }
  }

  deliver(watcher: Watcher, revision: number, events: readonly Uint8Array[]): boolean {
    const { encoder, fragmentBytes } = this.options;
    try {
      if (!watcher.allowsFragments || events.length < 2 || totalBytes(events) + responseFixedBytes < fragmentBytes) {
        return this.send(encoder.events(watcher.id, revision, events));
      }
      const response = { watchId: watcher.id, revision, events, bytesMax: fragmentBytes, fixedBytes: responseFixedBytes };
      this.fragments = new EventFragments(response);
      return this.sendFragments();
    } catch (error) {
      return this.failed(error);
    }
  }

  // ---- From the member

  /** Ends the call with a status. */
  end({ code, message }: EtcdError): void {
    if (this.isOver) return;
    this.close();
    this.call.end(code, message);
  }

  private serve(bytes: Uint8Array): void {
    const request = decodeWatchRequest(bytes);
    switch (request.type) {
      case "create":
        this.stream.create(request.request);
        if (this.stream.wantsProgress) this.watchProgress();
        if (this.stream.hasHeld) this.beginLater();
        return;
      case "cancel":
        return this.stream.cancel(request.watchId);
      case "progress":
        return this.stream.requestProgress();
      case "none":
        return;
      default:
        return request satisfies never;
    }
  }

  private beginLater(): void {
    this.beginTimer ??= this.options.clock.setTimer(beginDelayMs, () => {
      this.beginTimer = null;
      this.stream.begin();
    });
  }

  private watchProgress(): void {
    const { clock, progressMs } = this.options;
    if (this.isOver) return;
    this.progressTimer ??= clock.setTimer(progressMs, () => {
      this.progressTimer = null;
      this.stream.notifyProgress();
      if (this.stream.wantsProgress) this.watchProgress();
    });
  }

  /** The parts that are left of a response, as long as the client reads. True if none is left and it does. */
  private sendFragments(): boolean {
    const { encoder } = this.options;
    let isReady = true;
    for (let { fragments } = this; fragments !== null && isReady; fragments = this.fragments) {
      const part = fragments.take();
      if (fragments.isEmpty) this.fragments = null;
      isReady = this.send(encoder.fragment(fragments.watchId, fragments.revision, part, fragments.isEmpty ? "last" : "more"));
    }
    return isReady;
  }

  private sendWhatIsLeft(): boolean {
    try {
      return this.sendFragments();
    } catch (error) {
      return this.failed(error);
    }
  }

  /** A client that does not read is not read either. */
  private send(message: Uint8Array): boolean {
    if (this.isOver) return false;
    const isReady = this.call.send(message) && !this.isOver;
    if (!isReady && !this.isOver) this.call.pause();
    return isReady;
  }

  /** It may come from the middle of the node's turn, where nothing must throw: a response that can't be made is an error of its call. */
  private failed(error: unknown): false {
    if (error instanceof RangeError || error instanceof CodecError) {
      this.end(responseTooLarge);
    } else if (!this.isOver) {
      this.close();
      this.call.failWith(error);
    }
    return false;
  }

  private close(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.fragments = null;
    this.progressTimer?.cancel();
    this.beginTimer?.cancel();
    this.stream.close();
    this.options.onOver(this);
  }
}

function totalBytes(events: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const event of events) bytes += event.length;
  return bytes;
}
