import { type ClusterStatus, connectClient, leaderOf } from "@raftkv/client";
import type { Terminal } from "../terminal.ts";
import { memberRoles, type ShownRole } from "./member-state.ts";
import type { MemberPlan } from "./port-plan.ts";

export interface LeaderWait {
  readonly plan: readonly MemberPlan[];
  readonly terminal: Terminal;
  /** Members that have not ended. */
  readonly running: () => ReadonlySet<string>;
  readonly signal: AbortSignal;
}

const leaderTimeoutMs = 60_000;
const askEveryMs = 100;
const tellEveryMs = 5_000;
const statusTimeoutMs = 2_000;

/** The roles when there is a leader and every running member answers; null if that did not come, or the signal ended the wait. */
export async function waitForLeader({ plan, terminal, running, signal }: LeaderWait): Promise<ReadonlyMap<string, ShownRole> | null> {
  const client = connectClient({ endpoints: plan.map((member) => member.clientUrl), timeoutMs: statusTimeoutMs });
  const startMs = performance.now();
  let toldMs = startMs;
  terminal.writeErr("Waiting for the members to elect a leader\n");
  try {
    while (!signal.aborted) {
      const status = await client.status();
      const roles = memberRoles(plan, status);
      const silent = plan.filter(({ name }) => running().has(name) && roles.get(name) === "unreachable");
      if (leaderOf(status) !== null && silent.length === 0) return roles;
      if (!signal.aborted && 2 * running().size <= plan.length) {
        terminal.writeErr(`Only ${running().size} of ${plan.length} members run, which is no majority: no leader can be elected\n`);
        return null;
      }
      const nowMs = performance.now();
      if (nowMs - startMs > leaderTimeoutMs) {
        if (leaderOf(status) !== null) return roles;
        terminal.writeErr(`No leader was elected within ${leaderTimeoutMs / 1000} s\n`);
        return null;
      }
      if (nowMs - toldMs > tellEveryMs) {
        toldMs = nowMs;
        terminal.writeErr(`Still waiting: ${whatIsMissing(status, silent)}\n`);
      }
      await pause(askEveryMs, signal);
    }
    return null;
  } finally {
    client.close();
  }
}

function whatIsMissing(status: ClusterStatus, silent: readonly MemberPlan[]): string {
  const parts = leaderOf(status) === null ? ["no leader yet"] : [];
  if (silent.length > 0) parts.push(`no answer from ${silent.map(({ name }) => name).join(", ")}`);
  return parts.join(", ");
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, delayMs);
    signal.addEventListener("abort", wake);
  });
}
