import { formatNumber, formatShare } from "../report/number-format.ts";
import { type Column, formatTable } from "../report/text-table.ts";
import type { MemberProfile, ProfileResult } from "./profile-run.ts";

const functionsMax = 40;

const functionColumns: readonly Column[] = [
  { title: "self", align: "right" },
  { title: "us/request", align: "right" },
  { title: "package", align: "left" },
  { title: "function", align: "left" },
  { title: "place", align: "left" },
];

const packageColumns: readonly Column[] = [
  { title: "share", align: "right" },
  { title: "us/request", align: "right" },
  { title: "package", align: "left" },
];

/** The leader first. Times are of the main thread of each member; system calls for the disk run on others. */
export function formatProfile(result: ProfileResult): readonly string[] {
  const ordered = result.members.toSorted((a, b) => Number(b.isLeader) - Number(a.isLeader));
  return ordered.flatMap((member) => formatMember(member, result.round.answers));
}

function formatMember({ member, isLeader, times }: MemberProfile, requests: number): readonly string[] {
  const busyUs = times.totalUs - times.idleUs;
  const share = (selfUs: number): string => formatShare(busyUs === 0 ? 0 : selfUs / busyUs);
  const perRequest = (selfUs: number): string => formatNumber(selfUs / Math.max(requests, 1));
  const busy = times.totalUs === 0 ? 0 : busyUs / times.totalUs;
  return [
    "",
    `${member}, ${isLeader ? "leader" : "follower"}: busy ${formatShare(busy)} of the time, ${perRequest(busyUs)} us for each request`,
    "",
    ...formatTable(
      packageColumns,
      times.packages.map(({ name, selfUs }) => [share(selfUs), perRequest(selfUs), name]),
    ),
    "",
    ...formatTable(
      functionColumns,
      times.functions
        .slice(0, functionsMax)
        .map((time) => [share(time.selfUs), perRequest(time.selfUs), time.package, time.name, time.place]),
    ),
  ];
}
