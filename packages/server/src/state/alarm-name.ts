import { etcdserverpb } from "@raftkv/api";
import type { AlarmKind } from "./alarm-table.ts";

const { AlarmType } = etcdserverpb;

/** As health pages, metrics and etcdctl show them. */
export const alarmNames: Readonly<Record<AlarmKind, string>> = {
  [AlarmType.NOSPACE]: "NOSPACE",
  [AlarmType.CORRUPT]: "CORRUPT",
};
