import { create, etcdserverpb, toBinary } from "@raftkv/api";
import type { WireRange } from "../key-range.ts";
import type { WatchOptions } from "./watch-types.ts";

const { WatchRequestSchema, WatchCreateRequest_FilterType: Filter } = etcdserverpb;

/** Which changes are wanted, from which revision on; 0: from now on. */
export interface WatchWish {
  readonly range: WireRange;
  readonly startRevision: number;
  readonly options: Pick<WatchOptions, "prevKv" | "only">;
}

/**
 * The server chooses the id, and may send large answers in pieces. Progress is always asked for: a watch to which nothing happens for long
 * would else have to go on from a revision that is compacted.
 */
export function createRequest({ range, startRevision, options }: WatchWish): Uint8Array {
  return encode({
    case: "createRequest",
    value: create(etcdserverpb.WatchCreateRequestSchema, {
      ...range,
      startRevision: BigInt(startRevision),
      progressNotify: true,
      filters: options.only === undefined ? [] : [options.only === "puts" ? Filter.NODELETE : Filter.NOPUT],
      prevKv: options.prevKv ?? false,
      fragment: true,
    }),
  });
}

export function cancelRequest(watchId: bigint): Uint8Array {
  return encode({ case: "cancelRequest", value: create(etcdserverpb.WatchCancelRequestSchema, { watchId }) });
}

export function progressRequest(): Uint8Array {
  return encode({ case: "progressRequest", value: create(etcdserverpb.WatchProgressRequestSchema) });
}

function encode(requestUnion: etcdserverpb.WatchRequest["requestUnion"]): Uint8Array {
  return toBinary(WatchRequestSchema, create(WatchRequestSchema, { requestUnion }));
}
