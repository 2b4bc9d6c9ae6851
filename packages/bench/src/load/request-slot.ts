import type { Channel, ClientStreamCall, RpcError } from "@raftkv/raft-rpc";

export type UnaryCaller = Pick<Channel, "request">;
/** What a run needs of a channel. */
export type Caller = Pick<Channel, "request" | "stream">;

/** One of both is null. */
export type SlotDone = (error: string | null, answer: Uint8Array | null) => void;

/** Where one request after the other goes out. */
export interface RequestSlot {
  /** The next one, when the answer to the last one is there. */
  send(request: Uint8Array): void;
  /** No more requests. */
  end(): void;
}

/** A call for each request. */
export function unarySlot(channel: UnaryCaller, path: string, done: SlotDone): RequestSlot {
  // Made once: nothing is allocated for a request but what the channel needs.
  const unaryDone = (error: RpcError | null, answer: Uint8Array | null): void => done(sentenceOf(error), answer);
  return {
    send: (request) => void channel.request(path, request, unaryDone),
    end: () => undefined,
  };
}

/** A stream for all requests, opened by the first, and again after one that failed. */
export function streamSlot(channel: Caller, path: string, done: SlotDone): RequestSlot {
  let call: ClientStreamCall | null = null;
  let isWaiting = false;
  const answered: SlotDone = (error, answer) => {
    if (!isWaiting) return;
    isWaiting = false;
    done(error, answer);
  };
  const handlers = {
    onMetadata: () => undefined,
    onMessage: (answer: Uint8Array) => answered(null, answer),
    onDrain: () => undefined,
    onClose: (error: RpcError | null) => {
      call = null;
      answered(sentenceOf(error) ?? "the stream ended", null);
    },
  };
  return {
    send(request) {
      isWaiting = true;
      call ??= channel.stream(path, handlers);
      call.send(request);
    },
    end: () => call?.cancel(),
  };
}

function sentenceOf(error: RpcError | null): string | null {
  return error === null ? null : `${error.codeName} ${error.message}`;
}
