import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { type CpuTime, readCpuTime } from "./cpu-time.ts";
import type { MemberPlan } from "./member-plan.ts";
import { memberEnvironment, type System } from "./system.ts";

const logTailBytes = 2000;

/** A running server. */
export class MemberProcess {
  readonly plan: MemberPlan;
  /** Resolves when it has ended, whoever ended it. Never rejects. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  #end: string | null = null;

  constructor(system: System, plan: MemberPlan, flags: readonly string[]) {
    this.plan = plan;
    const log = openSync(plan.logFile, "a", 0o600);
    try {
      // In a process group of its own: a terminal sends Ctrl-C to this program alone, which then stops the members in order.
      this.#child = spawn(system.program, system.memberArguments(plan.name, flags), {
        stdio: ["ignore", log, log],
        // What a server leaves where it was started goes away with its data.
        cwd: dirname(plan.logFile),
        env: memberEnvironment(process.env),
        detached: true,
      });
    } finally {
      closeSync(log);
    }
    this.ended = new Promise((resolve) => {
      const settle = (end: string): void => {
        this.#end = end;
        resolve();
      };
      this.#child.once("error", (error) => settle(`it could not be started: ${error.message}`));
      this.#child.once("exit", (code, signal) => settle(code === null ? `signal ${signal}` : `exit status ${code}`));
    });
  }

  /** `exit status 1`, `signal SIGKILL` or the like; null while it runs. */
  get end(): string | null {
    return this.#end;
  }

  /** Used since its start, or null where the system does not tell. */
  cpuTime(): CpuTime | null {
    return this.#child.pid === undefined ? null : readCpuTime(this.#child.pid);
  }

  /** The end of what it wrote. */
  logTail(): string {
    return readFileSync(this.plan.logFile, "utf8").slice(-logTailBytes).trim();
  }

  /** SIGTERM, and SIGKILL if it still runs after `graceMs`. Resolves when it has ended: true if it went by itself. */
  async stop(graceMs: number): Promise<boolean> {
    if (this.#end !== null) return true;
    this.#child.kill("SIGTERM");
    let killed = false;
    const timer = setTimeout(() => {
      killed = true;
      this.kill();
    }, graceMs);
    await this.ended;
    clearTimeout(timer);
    return !killed;
  }

  /** SIGKILL, at once. */
  kill(): void {
    if (this.#end === null) this.#child.kill("SIGKILL");
  }
}
