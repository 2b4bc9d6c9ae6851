import { type Compare, etcdserverpb } from "@raftkv/api";
import { type Bytes, toBytes } from "../../bytes.ts";
import { type KeyRange, toWireRange } from "../key-range.ts";
import type { LeaseReference } from "../kv-options.ts";
import { leaseIdOf } from "../kv-requests.ts";

const Result = etcdserverpb.Compare_CompareResult;

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
    ...condition(keys, relation),
    target: "value",
    operand: toBytes(value),
  }),
  version: (keys: KeyRange, relation: Relation, version: number): Compare => ({
    ...condition(keys, relation),
    target: "version",
    operand: version,
  }),
  createRevision: (keys: KeyRange, relation: Relation, createRevision: number): Compare => ({
    ...condition(keys, relation),
    target: "create",
    operand: createRevision,
  }),
  modRevision: (keys: KeyRange, relation: Relation, modRevision: number): Compare => ({
    ...condition(keys, relation),
    target: "mod",
    operand: modRevision,
  }),
  lease: (keys: KeyRange, relation: Relation, lease: LeaseReference): Compare => ({
    ...condition(keys, relation),
    target: "lease",
    operand: leaseIdOf(lease),
  }),
  exists: (key: Bytes): Compare => compare.createRevision(key, ">", 0),
  missing: (key: Bytes): Compare => compare.createRevision(key, "=", 0),
} as const;

function condition(keys: KeyRange, relation: Relation): Pick<Compare, "key" | "rangeEnd" | "result"> {
  return { ...toWireRange(keys), result: results[relation] };
}
