import type { Command } from "commander";
import { alarmDisarmVerb, alarmListVerb } from "./commands/alarm.ts";
import { checkPerfVerb } from "./commands/check-perf.ts";
import { compactionVerb } from "./commands/compaction.ts";
import { defragVerb } from "./commands/defrag.ts";
import { delVerb } from "./commands/del.ts";
import { electVerb } from "./commands/elect.ts";
import { endpointHashVerb, endpointHealthVerb, endpointStatusVerb } from "./commands/endpoint.ts";
import { getVerb } from "./commands/get.ts";
import { leaseGrantVerb, leaseKeepAliveVerb, leaseListVerb, leaseRevokeVerb, leaseTimeToLiveVerb } from "./commands/lease.ts";
import { lockVerb } from "./commands/lock.ts";
import { memberListVerb } from "./commands/member-list.ts";
import { moveLeaderVerb } from "./commands/move-leader.ts";
import { putVerb } from "./commands/put.ts";
import { snapshotRestoreVerb, snapshotSaveVerb, snapshotStatusVerb } from "./commands/snapshot-file.ts";
import { txnVerb } from "./commands/txn.ts";
import { versionVerb } from "./commands/version.ts";
import { watchVerb } from "./commands/watch.ts";
import { addVerb, type VerbHost } from "./verb.ts";

/** Adds etcdctl's verbs. */
export function addEtcdVerbs(program: Command, host: VerbHost): void {
  addVerb(program, getVerb, host);
  addVerb(program, putVerb, host);
  addVerb(program, delVerb, host);
  addVerb(program, txnVerb, host);
  addVerb(program, watchVerb, host);
  addVerb(program, compactionVerb, host);

  const lease = addGroup(program, "lease", "leases, which keys end with");
  addVerb(lease, leaseGrantVerb, host);
  addVerb(lease, leaseRevokeVerb, host);
  addVerb(lease, leaseTimeToLiveVerb, host);
  addVerb(lease, leaseListVerb, host);
  addVerb(lease, leaseKeepAliveVerb, host);

  addVerb(program, lockVerb, host);
  addVerb(program, electVerb, host);

  const endpoint = addGroup(program, "endpoint", "how members are");
  addVerb(endpoint, endpointStatusVerb, host);
  addVerb(endpoint, endpointHealthVerb, host);
  addVerb(endpoint, endpointHashVerb, host);

  addVerb(addGroup(program, "member", "the members of the cluster"), memberListVerb, host);

  const alarm = addGroup(program, "alarm", "alarms, for which the cluster refuses writes");
  addVerb(alarm, alarmListVerb, host);
  addVerb(alarm, alarmDisarmVerb, host);

  const snapshot = addGroup(program, "snapshot", "copies of the whole state in files");
  addVerb(snapshot, snapshotSaveVerb, host);
  addVerb(snapshot, snapshotStatusVerb, host);
  addVerb(snapshot, snapshotRestoreVerb, host);

  const check = addGroup(program, "check", "is the cluster good enough?");
  addVerb(check, checkPerfVerb, host);

  addVerb(program, defragVerb, host);
  addVerb(program, moveLeaderVerb, host);
  addVerb(program, versionVerb, host);
}

/** A word that stands before verbs. */
function addGroup(program: Command, name: string, summary: string): Command {
  return program.command(name).description(summary).usage("<command>");
}
