import type { Page, PageRequest } from "./http-endpoints.ts";
import type { MemberHealth } from "./member-health.ts";
import { sendText } from "./text-answer.ts";

/** `live`: would a new start help? `ready`: should clients come here? */
export type CheckKind = "livez" | "readyz";

/** Null if all is well, else what is not. */
type Check = (health: MemberHealth) => Promise<string | null>;

const checks: Readonly<Record<CheckKind, ReadonlyMap<string, Check>>> = {
  livez: new Map([["serializable_read", serializableRead]]),
  readyz: new Map([
    ["data_corruption", dataCorruption],
    ["serializable_read", serializableRead],
    ["linearizable_read", linearizableRead],
    ["non_learner", nonLearner],
  ]),
};

/** How a check ended the last time, and how often it ended how. */
export interface CheckCount {
  readonly kind: CheckKind;
  readonly name: string;
  isSuccess: boolean;
  successes: number;
  failures: number;
}

/** The pages `/livez` and `/readyz`, and those of single checks below them, as etcd has them since 3.5.11. */
export class CheckPages {
  /** Of all checks, whether they were asked for or not. */
  readonly counts: readonly CheckCount[];
  readonly #health: MemberHealth;

  constructor(health: MemberHealth) {
    this.#health = health;
    this.counts = (["livez", "readyz"] as const).flatMap((kind) =>
      Array.from(checks[kind].keys(), (name) => ({ kind, name, isSuccess: false, successes: 0, failures: 0 })),
    );
  }

  page(kind: CheckKind): Page {
    return async (request, response) => {
      const names = chosen(kind, request);
      if (names === null) return sendText(response, 404, "404 page not found\n");
      const lines: string[] = [];
      let isWell = true;
      for (const name of names) {
        const finding = await this.#run(kind, name);
        isWell &&= finding === null;
        lines.push(finding === null ? `[+]${name} ok\n` : `[-]${name} failed: ${finding}\n`);
      }
      const text = !isWell || request.query.has("verbose") ? lines.join("") : "";
      sendText(response, isWell ? 200 : 503, isWell ? `${text}ok\n` : text);
    };
  }

  async #run(kind: CheckKind, name: string): Promise<string | null> {
    const finding = (await checks[kind].get(name)?.(this.#health)) ?? null;
    const count = this.counts.find((candidate) => candidate.kind === kind && candidate.name === name);
    if (count === undefined) return finding;
    count.isSuccess = finding === null;
    if (finding === null) count.successes++;
    else count.failures++;
    return finding;
  }
}

/** Null for a path below that names no check. */
function chosen(kind: CheckKind, { path, query }: PageRequest): readonly string[] | null {
  const single = path.slice(`/${kind}/`.length);
  if (single !== "") return checks[kind].has(single) ? [single] : null;
  const excluded = new Set(query.getAll("exclude"));
  return Array.from(checks[kind].keys()).filter((name) => !excluded.has(name));
}

function serializableRead(health: MemberHealth): Promise<string | null> {
  return failureOf(health.readLocally());
}

function linearizableRead(health: MemberHealth): Promise<string | null> {
  return failureOf(health.confirmRead());
}

function dataCorruption({ alarms }: MemberHealth): Promise<string | null> {
  return Promise.resolve(alarms.includes("CORRUPT") ? "alarm activated: CORRUPT" : null);
}

function nonLearner({ isLearner }: MemberHealth): Promise<string | null> {
  return Promise.resolve(isLearner ? "not supported for learner" : null);
}

async function failureOf(read: Promise<unknown>): Promise<string | null> {
  try {
    await read;
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
