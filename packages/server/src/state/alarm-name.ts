import { etcdserverpb } from "@raftkv/api";
import type { AlarmKind } from "./alarm-table.ts";

const { AlarmType } = etcdserverpb;

/** As etcd and its tools show an alarm; null for one that is none of etcd's. */
export function alarmName(kind: AlarmKind): "NOSPACE" | "CORRUPT" | null {
  switch (kind) {
    case AlarmType.NOSPACE:
      return "NOSPACE";
    case AlarmType.CORRUPT:
      return "CORRUPT";
    default:
      return null;
  }
}
