import { type DeleteRangeRequest, etcdserverpb, type PutRequest, type RangeRequest } from "@raftkv/api";
import { type Bytes, toBytes } from "../bytes.ts";
import { type KeyRange, toWireRange } from "./key-range.ts";
import type { DeleteSettings, LeaseReference, PutSettings, RangeSettings, SortTarget } from "./kv-options.ts";

const { RangeRequest_SortOrder: Order, RangeRequest_SortTarget: Target } = etcdserverpb;

const sortTargets: Readonly<Record<SortTarget, number>> = {
  key: Target.KEY,
  version: Target.VERSION,
  createRevision: Target.CREATE,
  modRevision: Target.MOD,
  value: Target.VALUE,
};

const sortOrders = { ascending: Order.ASCEND, descending: Order.DESCEND } as const;

export function rangeRequest(keys: KeyRange, options: RangeSettings): RangeRequest {
  const { sort } = options;
  return {
    ...toWireRange(keys),
    limit: options.limit ?? 0,
    revision: options.revision ?? 0,
    sortOrder: sort?.order === undefined ? Order.NONE : sortOrders[sort.order],
    sortTarget: sort === undefined ? Target.KEY : sortTargets[sort.by],
    serializable: options.consistency === "serializable",
    keysOnly: options.keysOnly ?? false,
    countOnly: options.countOnly ?? false,
    minModRevision: options.minModRevision ?? 0,
    maxModRevision: options.maxModRevision ?? 0,
    minCreateRevision: options.minCreateRevision ?? 0,
    maxCreateRevision: options.maxCreateRevision ?? 0,
  };
}

export function putRequest(key: Bytes, value: Bytes, settings: PutSettings): PutRequest {
  return {
    key: toBytes(key),
    value: toBytes(value),
    lease: settings.lease === undefined ? 0n : leaseIdOf(settings.lease),
    prevKv: settings.prevKv ?? false,
    ignoreValue: settings.ignoreValue ?? false,
    ignoreLease: settings.ignoreLease ?? false,
  };
}

export function deleteRequest(keys: KeyRange, settings: DeleteSettings): DeleteRangeRequest {
  return { ...toWireRange(keys), prevKv: settings.prevKv ?? false };
}

export function leaseIdOf(lease: LeaseReference): bigint {
  return typeof lease === "bigint" ? lease : lease.id;
}
