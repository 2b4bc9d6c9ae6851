import type { KeyValue, RangeResponse } from "@raftkv/api";
import { StatusCode } from "@raftkv/raft-rpc";
import { ClientError } from "../client-error.ts";
import { type KeyRange, keyAfter, toWireRange, type WireRange } from "./key-range.ts";
import type { PageOptions, RangeOptions } from "./kv-options.ts";

/** One call. Rejects with ClientError. */
export type RangeReader = (keys: KeyRange, options: RangeOptions) => Promise<RangeResponse>;

const defaultPageSize = 1000;

/**
 * A range in pages, each by a call of its own, all as they were at one revision: that of the first page. A page that is too large for one
 * answer is asked for again with fewer keys. Throws ClientError: ERR_COMPACTED if the revision is compacted meanwhile.
 */
export async function* readPages(read: RangeReader, keys: KeyRange, options: PageOptions): AsyncGenerator<RangeResponse, void> {
  const { pageSize = defaultPageSize, ...rest } = options;
  if (!(Number.isSafeInteger(pageSize) && pageSize >= 1))
    throw new RangeError(`A page of ${pageSize} keys is not possible, give at least 1`);
  let limit = pageSize;
  let { revision = 0 } = options;
  let range: WireRange | null = toWireRange(keys);
  while (range !== null) {
    let page: RangeResponse;
    try {
      page = await read(fromWire(range), { ...rest, limit, revision });
    } catch (error) {
      if (limit === 1 || !isTooLarge(error)) throw error;
      limit = Math.ceil(limit / 2);
      continue;
    }
    if (revision === 0) revision = page.header.revision;
    range = rangeAfter(range, page);
    yield page;
  }
}

/** The same, key by key. */
export async function* readEntries(read: RangeReader, keys: KeyRange, options: PageOptions): AsyncGenerator<KeyValue, void> {
  for await (const { kvs } of readPages(read, keys, options)) yield* kvs;
}

/** What is left of the range after a page; null: nothing. */
function rangeAfter({ rangeEnd }: WireRange, { kvs, more }: RangeResponse): WireRange | null {
  const last = kvs.at(-1);
  return more && last !== undefined ? { key: keyAfter(last.key), rangeEnd } : null;
}

function fromWire({ key, rangeEnd }: WireRange): KeyRange {
  if (rangeEnd.length === 0) return key;
  return rangeEnd.length === 1 && rangeEnd[0] === 0 ? { from: key } : { from: key, to: rangeEnd };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof ClientError && error.status?.code === StatusCode.RESOURCE_EXHAUSTED;
}
