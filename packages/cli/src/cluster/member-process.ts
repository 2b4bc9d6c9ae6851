import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";

export interface MemberCommand {
  readonly name: string;
  /** Program and arguments. */
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What the member writes is appended here. */
  readonly logFile: string;
}

/** How a member process ended: `exit status 1` or `signal SIGKILL`. */
export type MemberEnd = string;

/** A running `raftkv server`. */
export class MemberProcess {
  readonly name: string;
  readonly logFile: string;
  /** Resolves once, whoever ended it. Never rejects. */
  readonly ended: Promise<MemberEnd>;
  readonly #child: ChildProcess;
  #running = true;

  constructor(command: MemberCommand) {
    this.name = command.name;
    this.logFile = command.logFile;
    const log = openSync(command.logFile, "a", 0o600);
    try {
      // In a process group of its own: a terminal sends Ctrl-C to this program alone, which then stops the members in order.
      this.#child = spawn(command.program, command.args, {
        stdio: ["pipe", log, log],
        env: command.environment,
        detached: true,
      });
    } finally {
      closeSync(log);
    }
    this.ended = new Promise((resolve) => {
      const settle = (end: MemberEnd): void => {
        this.#running = false;
        resolve(end);
      };
      this.#child.once("error", (error) => settle(`it could not be started: ${error.message}`));
      this.#child.once("exit", (code, signal) => settle(code === null ? `signal ${signal}` : `exit status ${code}`));
    });
  }

  get running(): boolean {
    return this.#running;
  }

  get processId(): number | undefined {
    return this.#child.pid;
  }

  /** SIGTERM, and SIGKILL if it still runs after `graceMs`. Resolves when it has ended: true if it went by itself. */
  async stop(graceMs: number): Promise<boolean> {
    if (!this.#running) return true;
    this.#child.kill("SIGTERM");
    let killed = false;
    const timer = setTimeout(() => {
      killed = true;
      this.#child.kill("SIGKILL");
    }, graceMs);
    await this.ended;
    clearTimeout(timer);
    return !killed;
  }
}
