import { emptyBytes, ProtobufReader } from "./protobuf-reader.ts";

/** `etcdserverpb.WatchCreateRequest`. Keys are views into what was decoded. */
export interface WatchCreateRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly startRevision: number;
  readonly progressNotify: boolean;
  readonly noPut: boolean;
  readonly noDelete: boolean;
  readonly prevKv: boolean;
  /** int64. */
  readonly watchId: bigint;
  readonly fragment: boolean;
}

/** `etcdserverpb.WatchRequest`; "none" is what a newer client may ask for. */
export type WatchRequest =
  | { readonly type: "create"; readonly request: WatchCreateRequest }
  | { readonly type: "cancel"; readonly watchId: bigint }
  | { readonly type: "progress" }
  | { readonly type: "none" };

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const CREATE_TAG = 0x0a;
const CANCEL_TAG = 0x12;
const PROGRESS_TAG = 0x1a;

const NO_PUT = 0;
const NO_DELETE = 1;

const reader = new ProtobufReader();

/**
 * `bytes` is one `etcdserverpb.WatchRequest`. Revisions beyond the safe integers become the nearest safe integer, unknown filters are
 * passed over as etcd does. Throws CodecError.
 */
export function decodeWatchRequest(bytes: Uint8Array): WatchRequest {
  let type: WatchRequest["type"] = "none";
  let create = emptyCreate();
  let watchId = 0n;
  reader.reset(bytes);
  // Of several members the last counts; one that comes several times in a row is merged, as protobuf asks.
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case CREATE_TAG:
        if (type !== "create") create = emptyCreate();
        type = "create";
        readCreate(create);
        break;
      case CANCEL_TAG:
        watchId = readCancel(type === "cancel" ? watchId : 0n);
        type = "cancel";
        break;
      case PROGRESS_TAG:
        type = "progress";
        reader.skip(tag);
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  switch (type) {
    case "create":
      return { type, request: create };
    case "cancel":
      return { type, watchId };
    default:
      return { type };
  }
}

function emptyCreate(): Writable<WatchCreateRequest> {
  return {
    key: emptyBytes,
    rangeEnd: emptyBytes,
    startRevision: 0,
    progressNotify: false,
    noPut: false,
    noDelete: false,
    prevKv: false,
    watchId: 0n,
    fragment: false,
  };
}

function readCreate(create: Writable<WatchCreateRequest>): void {
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        create.key = reader.bytes();
        break;
      case 0x12:
        create.rangeEnd = reader.bytes();
        break;
      case 0x18:
        create.startRevision = reader.clampedInt();
        break;
      case 0x20:
        create.progressNotify = reader.bool();
        break;
      case 0x28:
        addFilter(create, reader.int32());
        break;
      case 0x2a:
        readFilters(create);
        break;
      case 0x30:
        create.prevKv = reader.bool();
        break;
      case 0x38:
        create.watchId = reader.int64();
        break;
      case 0x40:
        create.fragment = reader.bool();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outer);
}

/** The filters in one packed field. */
function readFilters(create: Writable<WatchCreateRequest>): void {
  const outer = reader.enter();
  while (reader.more()) addFilter(create, reader.int32());
  reader.leave(outer);
}

function addFilter(create: Writable<WatchCreateRequest>, filter: number): void {
  if (filter === NO_PUT) create.noPut = true;
  else if (filter === NO_DELETE) create.noDelete = true;
}

function readCancel(merged: bigint): bigint {
  let watchId = merged;
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) watchId = reader.int64();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return watchId;
}
