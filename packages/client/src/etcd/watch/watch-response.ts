import { etcdserverpb, fromBinary, type KeyValue, mvccpb, type ResponseHeader } from "@raftkv/api";
import { plainHeader } from "../response-header.ts";
import type { WatchEvent } from "./watch-types.ts";

/** What a server says on a stream of watches. */
export interface WatchResponse {
  readonly header: ResponseHeader;
  /** -1: a refused watch, or progress of all watches of the stream. */
  readonly watchId: bigint;
  readonly created: boolean;
  readonly canceled: boolean;
  /** Above 0: the watch was cancelled because what it needs is compacted up to here. */
  readonly compactRevision: number;
  readonly cancelReason: string;
  /** The next response goes on with the same revision. */
  readonly fragment: boolean;
  readonly events: readonly WatchEvent[];
  /** Of the message. */
  readonly bytes: number;
}

/** Throws if the bytes are not a response. Keys and values are views into them. */
export function decodeWatchResponse(message: Uint8Array): WatchResponse {
  const response = fromBinary(etcdserverpb.WatchResponseSchema, message);
  return {
    header: plainHeader(response.header),
    watchId: response.watchId,
    created: response.created,
    canceled: response.canceled,
    compactRevision: Number(response.compactRevision),
    cancelReason: response.cancelReason,
    fragment: response.fragment,
    events: response.events.map(plainEvent),
    bytes: message.length,
  };
}

function plainEvent({ type, kv, prevKv }: mvccpb.Event): WatchEvent {
  return {
    type: type === mvccpb.Event_EventType.DELETE ? "delete" : "put",
    kv: plainKeyValue(kv),
    prevKv: prevKv === undefined ? null : plainKeyValue(prevKv),
  };
}

const noBytes = new Uint8Array(0);

function plainKeyValue(kv: mvccpb.KeyValue | undefined): KeyValue {
  return {
    key: kv?.key ?? noBytes,
    value: kv?.value ?? noBytes,
    createRevision: Number(kv?.createRevision ?? 0n),
    modRevision: Number(kv?.modRevision ?? 0n),
    version: Number(kv?.version ?? 0n),
    lease: kv?.lease ?? 0n,
  };
}
