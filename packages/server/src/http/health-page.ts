import type { Page } from "./http-endpoints.ts";
import type { MemberHealth } from "./member-health.ts";
import { sendText } from "./text-answer.ts";

/** How often `/health` said yes and no. */
export class HealthCounts {
  success = 0;
  failures = 0;
}

/**
 * `/health`, as etcd has it: `exclude=NOSPACE` overlooks an alarm, `serializable=true` asks for no leader and reads locally. A healthy member
 * answers in the form of etcd 3.4, which some clients compare as text; one that is not gives its reason, as later versions do.
 */
export function healthPage(health: MemberHealth, counts: HealthCounts): Page {
  return async ({ query }, response) => {
    const excluded = new Set(query.getAll("exclude"));
    const reason = await unhealthyReason(health, { excluded, isSerializable: query.get("serializable") === "true" });
    if (reason === null) {
      counts.success++;
      return sendText(response, 200, JSON.stringify({ health: "true" }));
    }
    counts.failures++;
    sendText(response, 503, JSON.stringify({ health: "false", reason }));
  };
}

interface HealthQuestion {
  readonly excluded: ReadonlySet<string>;
  readonly isSerializable: boolean;
}

async function unhealthyReason(health: MemberHealth, { excluded, isSerializable }: HealthQuestion): Promise<string | null> {
  if (health.trouble !== null) return health.trouble;
  const alarm = health.alarms.find((name) => !excluded.has(name));
  if (alarm !== undefined) return `ALARM ${alarm}`;
  if (!isSerializable && !health.hasLeader) return "RAFT NO LEADER";
  try {
    await (isSerializable ? health.readLocally() : health.confirmRead());
    return null;
  } catch (error) {
    return `RANGE ERROR:${error instanceof Error ? error.message : String(error)}`;
  }
}
