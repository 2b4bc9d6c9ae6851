import { type Compare, etcdserverpb } from "@raftkv/api";
import { type Bytes, toBytes } from "../../bytes.ts";
import { type KeyRange, toWireRange } from "../key-range.ts";
import type { LeaseReference } from "../kv-options.ts";
import { leaseIdOf } from "../kv-requests.ts";

const { Compare_CompareResult: Result, Compare_CompareTarget: Target } = etcdserverpb;

/** How what is stored has to stand to what is given. */
export type Relation = "=" | "!=" | "<" | ">";

const results: Readonly<Record<Relation, number>> = {
  "=": Result.EQUAL,
  "!=": Result.NOT_EQUAL,
  "<": Result.LESS,
  ">": Result.GREATER,
};

/**
 * Conditions of a transaction. One on several keys holds if it holds for each of them. Of a key that does not exist version, revisions and
 * lease are 0, and no condition on its value holds.
 */
export const compare = {
  value: (keys: KeyRange, relation: Relation, value: Bytes): Compare => ({
    ...condition(keys, relation, Target.VALUE),
    value: toBytes(value),
  }),
  version: (keys: KeyRange, relation: Relation, version: number): Compare => ({ ...condition(keys, relation, Target.VERSION), version }),
  createRevision: (keys: KeyRange, relation: Relation, createRevision: number): Compare => ({
    ...condition(keys, relation, Target.CREATE),
    createRevision,
  }),
  modRevision: (keys: KeyRange, relation: Relation, modRevision: number): Compare => ({
    ...condition(keys, relation, Target.MOD),
    modRevision,
  }),
  lease: (keys: KeyRange, relation: Relation, lease: LeaseReference): Compare => ({
    ...condition(keys, relation, Target.LEASE),
    lease: leaseIdOf(lease),
  }),
  exists: (key: Bytes): Compare => condition(key, ">", Target.CREATE),
  missing: (key: Bytes): Compare => condition(key, "=", Target.CREATE),
} as const;

function condition(keys: KeyRange, relation: Relation, target: number): Compare {
  return {
    ...toWireRange(keys),
    result: results[relation],
    target,
    version: 0,
    createRevision: 0,
    modRevision: 0,
    value: new Uint8Array(0),
    lease: 0n,
  };
}
