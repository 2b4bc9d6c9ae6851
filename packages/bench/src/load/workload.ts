import { encodePutRequest, encodeRangeRequest, type RangeRequest } from "@raftkv/api";
import type { KeySpace } from "./key-space.ts";

export const workloadNames = ["put", "range", "serializable"] as const;
export type WorkloadName = (typeof workloadNames)[number];

export const putPath = "/etcdserverpb.KV/Put";
export const rangePath = "/etcdserverpb.KV/Range";

/** What is asked over and over: one encoded request for each key. */
export interface Workload {
  readonly name: WorkloadName;
  readonly path: string;
  /** By number of the key. */
  readonly requests: readonly Uint8Array[];
  /** A shorter answer is an error: the value of a loaded key cannot be in it. */
  readonly responseBytesMin: number;
}

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

/** Newest pair of `key`; what `overrides` names is otherwise. */
export function rangeRequest(key: Uint8Array, overrides: Partial<RangeRequest> = {}): Uint8Array {
  return encodeRangeRequest({ ...oneKey, key, ...overrides });
}

export function buildWorkload(name: WorkloadName, keys: KeySpace): Workload {
  if (name === "put") return { name, path: putPath, requests: encodeAll(keys, (key) => putRequest(keys, key)), responseBytesMin: 1 };
  const serializable = name === "serializable";
  const requests = encodeAll(keys, (key) => rangeRequest(keys.key(key), { serializable }));
  return { name, path: rangePath, requests, responseBytesMin: keys.valueBytes };
}

function putRequest(keys: KeySpace, number: number): Uint8Array {
  return encodePutRequest({
    key: keys.key(number),
    value: keys.value(number),
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  });
}

function encodeAll(keys: KeySpace, encode: (number: number) => Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: keys.count }, (_, number) => encode(number));
}
