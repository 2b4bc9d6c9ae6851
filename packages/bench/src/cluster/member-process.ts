import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { type CpuTime, readCpuTime } from "./cpu-time.ts";
import type { MemberPlan } from "./member-plan.ts";
import { readResidentBytes } from "./resident-memory.ts";
import { memberEnvironment, type System } from "./system.ts";

const logTailBytes = 2000;

/** From one start of a server to its end. */
interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  end: string | null;
}

/** A running server, which can be started again when it has ended. */
export class MemberProcess {
  readonly plan: MemberPlan;
  readonly #system: System;
  readonly #flags: readonly string[];
  #run: Run;

  constructor(system: System, plan: MemberPlan, flags: readonly string[]) {
    this.plan = plan;
    this.#system = system;
    this.#flags = flags;
    this.#run = this.#start();
  }

  /** Resolves when it has ended, whoever ended it. Never rejects. */
  get ended(): Promise<void> {
    return this.#run.ended;
  }

  /** `exit status 1`, `signal SIGKILL` or the like; null while it runs. */
  get end(): string | null {
    return this.#run.end;
  }

  /** Used since its start, or null where the system does not tell. */
  cpuTime(): CpuTime | null {
    const { pid } = this.#run.child;
    return pid === undefined ? null : readCpuTime(pid);
  }

  /** Resident memory, or null where the system does not tell. */
  residentBytes(): number | null {
    const { pid } = this.#run.child;
    return pid === undefined ? null : readResidentBytes(pid);
  }

  /** The end of what it wrote. */
  logTail(): string {
    return readFileSync(this.plan.logFile, "utf8").slice(-logTailBytes).trim();
  }

  /** SIGTERM, also to a frozen one, and SIGKILL if it still runs after `graceMs`. Resolves when it has ended: true if it went by itself. */
  async stop(graceMs: number): Promise<boolean> {
    if (this.end !== null) return true;
    this.#run.child.kill("SIGTERM");
    this.resume();
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
    if (this.end === null) this.#run.child.kill("SIGKILL");
  }

  /** SIGSTOP: it does nothing more, but its connections stay. */
  freeze(): void {
    if (this.end === null) this.#run.child.kill("SIGSTOP");
  }

  /** SIGCONT: the end of `freeze`. */
  resume(): void {
    if (this.end === null) this.#run.child.kill("SIGCONT");
  }

  /** Starts the server again, on its data. Throws if it has not ended. */
  restart(): void {
    if (this.end === null) throw new Error(`${this.#system.name} ${this.plan.name} has not ended`);
    this.#run = this.#start();
  }

  #start(): Run {
    const child = this.#spawn();
    const end = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(`it could not be started: ${error.message}`));
      child.once("exit", (code, signal) => resolve(code === null ? `signal ${signal}` : `exit status ${code}`));
    });
    const run: Run = { child, end: null, ended: end.then((sentence) => void (run.end = sentence)) };
    return run;
  }

  #spawn(): ChildProcess {
    const log = openSync(this.plan.logFile, "a", 0o600);
    try {
      // In a process group of its own: a terminal sends Ctrl-C to this program alone, which then stops the members in order.
      return spawn(this.#system.program, this.#system.memberArguments(this.plan.name, this.#flags), {
        stdio: ["ignore", log, log],
        // What a server leaves where it was started goes away with its data.
        cwd: dirname(this.plan.logFile),
        env: memberEnvironment(process.env),
        detached: true,
      });
    } finally {
      closeSync(log);
    }
  }
}
