import { create, encodePutRequest, encodeRangeRequest, etcdserverpb, type PutRequest, type RangeRequest, toBinary } from "@raftkv/api";
import { endsWithField, hasFieldAfterHeader } from "./answer-check.ts";
import type { KeySpace } from "./key-space.ts";

export const workloadNames = ["put", "txn", "range", "serializable", "lease"] as const;
export type WorkloadName = (typeof workloadNames)[number];

export const putPath = "/etcdserverpb.KV/Put";
export const rangePath = "/etcdserverpb.KV/Range";
export const txnPath = "/etcdserverpb.KV/Txn";
export const keepAlivePath = "/etcdserverpb.Lease/LeaseKeepAlive";

/** What is asked over and over: one request for each key. */
export interface Workload {
  readonly name: WorkloadName;
  readonly path: string;
  /** `stream`: each slot has a stream of its own, and sends the next request when the answer to the last one is there. */
  readonly kind: "unary" | "stream";
  /** Each answer is a write of the key. */
  readonly writes: boolean;
  /** The encoded request of a key, by its number. */
  request(key: number): Uint8Array;
  /** What is wrong with an answer, or null. */
  faultOf(answer: Uint8Array): string | null;
}

/** Leases that are granted before any is kept alive, with ids from 1. */
export const leaseCount = 1000;

const oneKey: Omit<RangeRequest, "key"> = {
  rangeEnd: new Uint8Array(0),
  limit: 0,
  revision: 0,
  sortOrder: 0,
  sortTarget: 0,
  serializable: false,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
};

const succeededField = 2;
const ttlField = 3;

/** Newest pair of `key`; what `overrides` names is otherwise. */
export function rangeRequest(key: Uint8Array, overrides: Partial<RangeRequest> = {}): Uint8Array {
  return encodeRangeRequest({ ...oneKey, key, ...overrides });
}

/** Requests are encoded when they are asked for the first time, and kept. */
export function buildWorkload(name: WorkloadName, keys: KeySpace): Workload {
  switch (name) {
    case "put":
      return { name, path: putPath, kind: "unary", writes: true, request: kept(putRequest(keys)), faultOf: shorterThan(1) };
    case "txn":
      return { name, path: txnPath, kind: "unary", writes: true, request: kept(txnRequest(keys)), faultOf: notSucceeded };
    case "range":
    case "serializable": {
      const serializable = name === "serializable";
      const request = kept((key) => rangeRequest(keys.key(key), { serializable }));
      return { name, path: rangePath, kind: "unary", writes: false, request, faultOf: shorterThan(keys.valueBytes) };
    }
    case "lease":
      return { name, path: keepAlivePath, kind: "stream", writes: false, request: kept(keepAliveRequest), faultOf: notKeptAlive };
    default:
      return name satisfies never;
  }
}

/** A put of every key that keeps nothing: for more keys than requests fit into memory. */
export function buildFilling(keys: KeySpace): Workload {
  return { name: "put", path: putPath, kind: "unary", writes: true, request: putRequest(keys), faultOf: shorterThan(1) };
}

type MakeRequest = (key: number) => Uint8Array;

function kept(make: MakeRequest): MakeRequest {
  const requests: (Uint8Array | undefined)[] = [];
  return (key) => {
    requests[key] ??= make(key);
    return requests[key];
  };
}

function putOf(keys: KeySpace, key: number): PutRequest {
  return { key: keys.key(key), value: keys.value(key), lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
}

function putRequest(keys: KeySpace): MakeRequest {
  return (key) => encodePutRequest(putOf(keys, key));
}

/** Compare and put, as locks and leaders are written: only if the key is there, its value is replaced. */
function txnRequest(keys: KeySpace): MakeRequest {
  return (number) => {
    const { key, value } = putOf(keys, number);
    const compare = {
      key,
      target: etcdserverpb.Compare_CompareTarget.VERSION,
      result: etcdserverpb.Compare_CompareResult.GREATER,
      targetUnion: { case: "version" as const, value: 0n },
    };
    const success = [{ request: { case: "requestPut" as const, value: { key, value } } }];
    return toBinary(etcdserverpb.TxnRequestSchema, create(etcdserverpb.TxnRequestSchema, { compare: [compare], success }));
  };
}

function keepAliveRequest(key: number): Uint8Array {
  const ID = BigInt((key % leaseCount) + 1);
  return toBinary(etcdserverpb.LeaseKeepAliveRequestSchema, create(etcdserverpb.LeaseKeepAliveRequestSchema, { ID }));
}

/** The value of a loaded key can't be in a shorter answer. */
function shorterThan(bytesMin: number): (answer: Uint8Array) => string | null {
  return ({ length }) => (length < bytesMin ? `the answer has ${length} bytes, ${bytesMin} are the least` : null);
}

function notSucceeded(answer: Uint8Array): string | null {
  return hasFieldAfterHeader(answer, succeededField) ? null : "the comparison of a key that is there failed";
}

function notKeptAlive(answer: Uint8Array): string | null {
  return endsWithField(answer, ttlField) ? null : "a lease that was granted is gone";
}
