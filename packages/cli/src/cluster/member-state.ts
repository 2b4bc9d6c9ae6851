import type { ClusterStatus } from "@raftkv/client";
import { leaderOf } from "@raftkv/client";
import { plainTable } from "../plain-table.ts";
import type { MemberPlan } from "./port-plan.ts";

/** A member of the plan as the cluster shows it now. */
export type ShownRole = "leader" | "follower" | "learner" | "unreachable";

/** The role of each member, by name. */
export function memberRoles(plan: readonly MemberPlan[], status: ClusterStatus): ReadonlyMap<string, ShownRole> {
  const leader = leaderOf(status);
  return new Map(
    plan.map((member) => {
      const endpoint = `127.0.0.1:${member.clientPort}`;
      const found = status.members.find((candidate) => candidate.endpoint === endpoint);
      if (found === undefined || found.state === "down") return [member.name, "unreachable"];
      // A leader of an earlier term that was not told yet follows the one that leads now.
      return [member.name, found.role === "leader" && found !== leader ? "follower" : found.role];
    }),
  );
}

export function clusterTable(plan: readonly MemberPlan[], roles: ReadonlyMap<string, ShownRole>): string {
  return plainTable(
    ["name", "client URL", "peer URL", "role"],
    plan.map((member) => [member.name, member.clientUrl, member.peerUrl, roles.get(member.name) ?? "unreachable"]),
  );
}

/** Three commands that work as they stand, with the members that answer. `program` starts `raftkv`. */
export function commandsToTry(plan: readonly MemberPlan[], roles: ReadonlyMap<string, ShownRole>, program: string): string {
  const answering = plan.filter(({ name }) => roles.get(name) !== "unreachable").map((member) => `127.0.0.1:${member.clientPort}`);
  return [
    "Try in another terminal:",
    `  ${program} put hello world --endpoints ${answering.join()}`,
    `  ${program} get hello --endpoints ${answering.at(-1) ?? ""}`,
    `  etcdctl --endpoints=${answering[0] ?? ""} get hello`,
  ].join("\n");
}
