import {
  create,
  type DeleteRangeResponse,
  etcdserverpb,
  type KeyValue,
  type PutResponse,
  type RangeResponse,
  type ResponseHeader,
  type TxnRequest,
  type TxnResponse,
} from "@raftkv/api";
import type { Bytes } from "../bytes.ts";
import { type EtcdRouter, etcdMethod } from "./etcd-router.ts";
import type { KeyRange } from "./key-range.ts";
import type { CompactOptions, DeleteOptions, PageOptions, PutOptions, RangeOptions, ReadOptions, TxnOptions } from "./kv-options.ts";
import { deleteRequest, putRequest, rangeRequest } from "./kv-requests.ts";
import { type RangeReader, readEntries, readPages } from "./range-pages.ts";
import { plainHeader } from "./response-header.ts";
import { isReadOnly, Txn } from "./txn/txn.ts";

const { kvService } = etcdserverpb;
const range = etcdMethod(kvService, kvService.methods.range);
const put = etcdMethod(kvService, kvService.methods.put);
const deleteRange = etcdMethod(kvService, kvService.methods.deleteRange);
const txn = etcdMethod(kvService, kvService.methods.txn);
const compact = etcdMethod(kvService, kvService.methods.compact);

/** Keys and values. All calls reject with ClientError. */
export class KvClient {
  readonly #router: EtcdRouter;
  readonly #read: RangeReader = (keys, options) => this.range(keys, options);

  constructor(router: EtcdRouter) {
    this.#router = router;
  }

  /** The key, or null if there is none. */
  async get(key: Bytes, options?: ReadOptions): Promise<KeyValue | null> {
    const { kvs } = await this.range(key, options);
    return kvs[0] ?? null;
  }

  range(keys: KeyRange, options: RangeOptions = {}): Promise<RangeResponse> {
    return this.#router.call("read", range, rangeRequest(keys, options), options);
  }

  /** The keys of a range one by one, however many there are, all as they were at one revision. Throws ClientError. */
  entries(keys: KeyRange, options: PageOptions = {}): AsyncGenerator<KeyValue, void> {
    return readEntries(this.#read, keys, options);
  }

  /** The same page by page. */
  pages(keys: KeyRange, options: PageOptions = {}): AsyncGenerator<RangeResponse, void> {
    return readPages(this.#read, keys, options);
  }

  put(key: Bytes, value: Bytes, options: PutOptions = {}): Promise<PutResponse> {
    return this.#router.call("once", put, putRequest(key, value, options), options);
  }

  delete(keys: KeyRange, options: DeleteOptions = {}): Promise<DeleteRangeResponse> {
    return this.#router.call("once", deleteRange, deleteRequest(keys, options), options);
  }

  /**
   * ```ts
   * const { succeeded } = await etcd
   *   .txn()
   *   .compare(compare.value("balance", ">", "100"))
   *   .success(operation.put("balance", "0"))
   *   .failure(operation.get("balance"))
   *   .commit();
   * ```
   */
  txn(): Txn<[], []> {
    return Txn.empty((request, options) => this.transact(request, options));
  }

  /** A transaction as it goes over the wire. */
  transact(request: TxnRequest, { idempotent = false, ...options }: TxnOptions = {}): Promise<TxnResponse> {
    const repetition = isReadOnly(request) ? "read" : idempotent ? "idempotent" : "once";
    return this.#router.call(repetition, txn, request, options);
  }

  /** Forgets what was overwritten or deleted before `revision`. Compacting twice is refused with ERR_COMPACTED. */
  async compact(revision: number, { physical = false, ...options }: CompactOptions = {}): Promise<ResponseHeader> {
    const request = create(etcdserverpb.CompactionRequestSchema, { revision: BigInt(revision), physical });
    const response = await this.#router.call("once", compact, request, options);
    return plainHeader(response.header);
  }
}
