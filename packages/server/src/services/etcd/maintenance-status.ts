import { etcdserverpb } from "@raftkv/api";
import { alarmName } from "../../state/alarm-name.ts";
import type { Alarm } from "../../state/alarm-table.ts";
import { memberTrouble } from "../member-trouble.ts";
import type { ServiceContext } from "../service-context.ts";

/** What Status tells people: etcd's own sentences first. */
export function statusErrors({ node, state }: ServiceContext): string[] {
  const findings = [memberTrouble(node)?.sentence ?? null, node.leaderlessFinding].filter((finding) => finding !== null);
  return [
    ...(node.leader === 0 ? ["etcdserver: no leader"] : []),
    ...state.alarms.all.map(alarmText),
    ...findings.map((finding) => `raftkv: ${finding}`),
  ];
}

/** As etcd prints the message: `memberID:13668033151171901709 alarm:NOSPACE `, what is 0 left out. */
function alarmText({ memberId, kind }: Alarm): string {
  const member = memberId === 0n ? "" : `memberID:${memberId} `;
  return kind === etcdserverpb.AlarmType.NONE ? member : `${member}alarm:${alarmName(kind) ?? kind} `;
}
