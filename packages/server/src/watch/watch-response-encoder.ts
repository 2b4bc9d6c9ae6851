import { encodeWatchEvents, encodeWatchHeader, encodeWatchNotification, type ResponseHeader } from "@raftkv/api";
import type { WatchNotice } from "@raftkv/kvstore";

const refusedWatchId = -1n;
/** What is larger is not kept in case the next watcher needs the same. */
const keptBytesMax = 1024 * 1024;
const noEvents: readonly Uint8Array[] = [];
const noBytes = new Uint8Array(0);

export interface WatchResponseEncoderOptions {
  /** Of a response that shows the store at `revision`. */
  readonly header: (revision: number) => ResponseHeader;
  readonly node: { readonly term: number };
}

/**
 * Encodes the responses of all watch streams. What follows one after the other is often alike: the header of responses to one change
 * is encoded once, a list of events that many watchers get is put together once, and the whole message is made once if the watchers of
 * several streams have the same id, as the only ones of their streams do.
 */
export class WatchResponseEncoder {
  private readonly options: WatchResponseEncoderOptions;
  private revision = -1;
  private term = -1;
  private header: Uint8Array = noBytes;
  /** The newest message, whose it was and what it was made of. */
  private message: Uint8Array = noBytes;
  private messageId = 0n;
  private messageEvents: readonly Uint8Array[] = noEvents;
  /** All its events as one, made when they are needed again. */
  private joined: readonly [Uint8Array] | null = null;

  constructor(options: WatchResponseEncoderOptions) {
    this.options = options;
  }

  /** @throws CodecError or RangeError if it does not fit into a message or into memory. */
  events(watchId: bigint, revision: number, events: readonly Uint8Array[]): Uint8Array {
    const header = this.headerOf(revision);
    if (events !== this.messageEvents) {
      const message = encodeWatchEvents(header, watchId, events);
      this.joined = null;
      if (message.length <= keptBytesMax) this.keep(message, watchId, events);
      else this.keep(noBytes, 0n, noEvents);
      return message;
    }
    if (watchId === this.messageId) return this.message;
    this.joined ??= [joinedBytes(events)];
    this.keep(encodeWatchEvents(header, watchId, this.joined), watchId, events);
    return this.message;
  }

  /** A part of a response, and whether others follow. */
  fragment(watchId: bigint, revision: number, events: readonly Uint8Array[], part: "more" | "last"): Uint8Array {
    return encodeWatchEvents(this.headerOf(revision), watchId, events, part === "more");
  }

  notice(notice: WatchNotice): Uint8Array {
    const isRefusal = notice.kind === "refused";
    return encodeWatchNotification({
      // As etcd: whoever is overtaken is told no revision.
      header: this.options.header(notice.kind === "overtaken" ? 0 : notice.revision),
      watchId: isRefusal ? refusedWatchId : notice.watchId,
      created: isRefusal || notice.kind === "created",
      canceled: isRefusal || notice.kind === "cancelled" || notice.kind === "overtaken",
      compactRevision: notice.kind === "overtaken" ? notice.compactRevision : 0,
      cancelReason: isRefusal ? notice.reason : "",
    });
  }

  private headerOf(revision: number): Uint8Array {
    const { term } = this.options.node;
    if (revision === this.revision && term === this.term) return this.header;
    this.revision = revision;
    this.term = term;
    this.header = encodeWatchHeader(this.options.header(revision));
    this.keep(noBytes, 0n, noEvents);
    return this.header;
  }

  private keep(message: Uint8Array, watchId: bigint, events: readonly Uint8Array[]): void {
    this.message = message;
    this.messageId = watchId;
    this.messageEvents = events;
  }
}

function joinedBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
