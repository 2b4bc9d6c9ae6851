import type { ResponseHeader } from "./etcd-message.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { RESPONSE_FIXED_BYTES_MAX, writeHeader } from "./range-response-writer.ts";

/** A record where it lies, as a store shows it. The lease is an int64 in two halves of 32 bits. */
export interface RecordView {
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly keyLength: number;
  readonly valueLength: number;
  readonly leaseHigh: number;
  readonly leaseLow: number;
  keyView(): Uint8Array;
  valueView(): Uint8Array;
}

/** `mvccpb.Event`, as a store shows it. */
export interface WatchEventView {
  readonly kind: "put" | "delete";
  readonly current: RecordView;
  readonly previous: RecordView | null;
}

/** What a `WatchResponse` says besides its events. */
export interface WatchNotification {
  readonly header: ResponseHeader;
  /** int64. */
  readonly watchId: bigint;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
}

const WATCH_ID_TAG = 0x10;
const FRAGMENT_TAG = 0x38;
const EVENTS_TAG = 0x5a;
const TYPE_DELETE = 1;
/** What the numbers and tags of a record usually take. */
const RECORD_FIXED_BYTES = 20;
/** Tags and values of `watch_id` and `fragment`. */
const EVENTS_FIXED_BYTES_MAX = 16;

/**
 * Events live for the moment in which they are delivered, or as long as a slow watcher's; they share chunks with events only. So it is
 * with headers, of which there is one for each revision.
 */
const eventWriter = new ProtobufWriter();
const headerWriter = new ProtobufWriter();
const writer = new ProtobufWriter();

/** An event as an element of `WatchResponse.events`, tag and all: encoded once, it goes into the responses of many watchers. */
export function encodeWatchEvent(event: WatchEventView, withPrevious: boolean): Uint8Array {
  const { current } = event;
  const previous = withPrevious ? event.previous : null;
  eventWriter.begin(0);
  eventWriter.open(EVENTS_TAG, sizeHint(current) + (previous === null ? 0 : sizeHint(previous)));
  eventWriter.uintField(0x08, event.kind === "delete" ? TYPE_DELETE : 0);
  writeRecord(0x12, current);
  if (previous !== null) writeRecord(0x1a, previous);
  eventWriter.close();
  return eventWriter.finish();
}

/** The header of responses, tag and all. Those of one revision have the same. */
export function encodeWatchHeader(header: ResponseHeader): Uint8Array {
  headerWriter.begin(RESPONSE_FIXED_BYTES_MAX);
  writeHeader(headerWriter, header);
  return headerWriter.finish();
}

/** A `WatchResponse` with events. `header` and the events are what the functions above made. Throws CodecError beyond 2 GiB. */
export function encodeWatchEvents(header: Uint8Array, watchId: bigint, events: readonly Uint8Array[], isFragment = false): Uint8Array {
  let eventBytes = 0;
  for (const event of events) eventBytes += event.length;
  writer.begin(header.length + EVENTS_FIXED_BYTES_MAX + eventBytes);
  writer.encodedFields(header);
  writer.bigintField(WATCH_ID_TAG, watchId);
  writer.boolField(FRAGMENT_TAG, isFragment);
  for (const event of events) writer.encodedFields(event);
  return writer.finish();
}

/** A `WatchResponse` without events. */
export function encodeWatchNotification(notification: WatchNotification): Uint8Array {
  writer.begin(RESPONSE_FIXED_BYTES_MAX);
  writeHeader(writer, notification.header);
  writer.bigintField(WATCH_ID_TAG, notification.watchId);
  writer.boolField(0x18, notification.created);
  writer.boolField(0x20, notification.canceled);
  writer.intField(0x28, notification.compactRevision);
  writer.stringField(0x32, notification.cancelReason);
  return writer.finish();
}

function sizeHint(record: RecordView): number {
  return record.keyLength + record.valueLength + RECORD_FIXED_BYTES;
}

function writeRecord(tag: number, record: RecordView): void {
  eventWriter.open(tag, sizeHint(record));
  eventWriter.bytesField(0x0a, record.keyView());
  eventWriter.intField(0x10, record.createRevision);
  eventWriter.intField(0x18, record.modRevision);
  eventWriter.intField(0x20, record.version);
  eventWriter.bytesField(0x2a, record.valueView());
  eventWriter.halvesField(0x30, record.leaseHigh, record.leaseLow);
  eventWriter.close();
}
