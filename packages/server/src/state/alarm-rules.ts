import { type Command, etcdserverpb, type RequestOp, type TxnRequest } from "@raftkv/api";
import type { AlarmTable } from "./alarm-table.ts";

const { AlarmType } = etcdserverpb;

/** Why an alarm refuses a command, null if none does. As with etcd the refusal is decided where commands are applied: at one point for all. */
export function alarmRefusal(alarms: AlarmTable, command: Command): "corrupt-cluster" | "no-space" | null {
  if (alarms.all.length === 0) return null;
  if (alarms.has(AlarmType.CORRUPT) && changesStore(command)) return "corrupt-cluster";
  return alarms.has(AlarmType.NOSPACE) && takesSpace(command) ? "no-space" : null;
}

/** What members whose stores differ must not do. */
function changesStore(command: Command): boolean {
  switch (command.type) {
    case "put":
    case "deleteRange":
    case "create":
    case "update":
    case "remove":
    case "txn":
    case "compaction":
    case "leaseGrant":
    case "leaseRevoke":
    case "leaseExpire":
      return true;
    case "leaseCheckpoint":
    case "alarm":
    case "memberAttributes":
    case "advanceTime":
      return false;
    default:
      return command satisfies never;
  }
}

/** What a cluster without space does not take; what deletes is welcome. */
function takesSpace(command: Command): boolean {
  switch (command.type) {
    case "put":
    case "create":
    case "update":
    case "leaseGrant":
      return true;
    case "txn":
      return mayPut(command.request);
    default:
      return false;
  }
}

/** A put in any branch counts. */
function mayPut({ success, failure }: TxnRequest): boolean {
  const isPut = (operation: RequestOp): boolean => operation.type === "put" || (operation.type === "txn" && mayPut(operation.request));
  return success.some(isPut) || failure.some(isPut);
}
