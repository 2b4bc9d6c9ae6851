import { type ExitCode, exitCode } from "../exit-code.ts";
import { stopAtInputEndVariable } from "../server-command.ts";
import type { Terminal } from "../terminal.ts";
import { checkClusterRecord } from "./cluster-record.ts";
import { waitForLeader } from "./leader-wait.ts";
import { readLogTail } from "./log-tail.ts";
import { MemberProcess } from "./member-process.ts";
import { clusterTable, commandsToTry } from "./member-state.ts";
import { checkPorts } from "./port-check.ts";
import { type ClusterOptions, type MemberPlan, memberArguments, memberEnvironment, planMembers } from "./port-plan.ts";

/** How `raftkv` is started. */
export interface RaftKVProgram {
  /** Path of `bin/raftkv.js`. */
  readonly path: string;
  /** As a user types it in this directory. */
  readonly shown: string;
}

const graceMs = 10_000;
const tailLinesMax = 5;

/** A cluster of real processes on this machine, until a signal ends it. */
export async function runCluster(options: ClusterOptions, program: RaftKVProgram, terminal: Terminal): Promise<ExitCode> {
  const plan = planMembers(options);
  await checkPorts(plan);
  checkClusterRecord(options);

  const stop = new AbortController();
  const ignoreSignals = terminal.onStop(() => stop.abort());
  const members = plan.map((member) => startMember(member, plan, program, terminal));
  let failures = 0;
  for (const member of members) {
    void member.ended.then((end) => {
      if (stop.signal.aborted) return;
      failures += 1;
      terminal.writeErr(deathReport(member, end));
      if (members.every(({ running }) => !running)) stop.abort();
    });
  }
  try {
    const running = (): ReadonlySet<string> => new Set(members.filter((member) => member.running).map(({ name }) => name));
    const roles = await waitForLeader({ plan, terminal, running, signal: stop.signal });
    if (roles !== null) {
      terminal.writeOut(`${clusterTable(plan, roles)}${commandsToTry(plan, roles, program.shown)}\nCtrl-C stops the cluster.\n`);
      await aborted(stop.signal);
    } else if (!stop.signal.aborted) {
      failures += 1;
      for (const member of members.filter(({ running: runs }) => runs)) terminal.writeErr(logTail(member));
    }
  } finally {
    stop.abort();
    await stopMembers(members, terminal);
    ignoreSignals();
  }
  terminal.writeErr(`Stopped. The data stays in ${options.dataDir}, the next start finds it\n`);
  return failures === 0 ? exitCode.ok : exitCode.error;
}

function startMember(member: MemberPlan, plan: readonly MemberPlan[], program: RaftKVProgram, terminal: Terminal): MemberProcess {
  const args = memberArguments(member, plan);
  return new MemberProcess({
    name: member.name,
    program: process.execPath,
    args: [program.path, "server", ...args],
    environment: { ...memberEnvironment(terminal.environment, args), [stopAtInputEndVariable]: "1" },
    logFile: member.logFile,
  });
}

/** All at once, so that no member elects itself while the others go. */
async function stopMembers(members: readonly MemberProcess[], terminal: Terminal): Promise<void> {
  const running = members.filter((member) => member.running);
  if (running.length === 0) return;
  terminal.writeErr(`Stopping ${running.map(({ name }) => name).join(", ")}\n`);
  const left = await Promise.all(running.map((member) => member.stop(graceMs)));
  for (const [place, member] of running.entries()) {
    if (left[place] === false) terminal.writeErr(`${member.name} did not stop within ${graceMs / 1000} s and was killed\n`);
  }
}

function deathReport(member: MemberProcess, end: string): string {
  return `${member.name} ended by itself: ${end}\n${logTail(member)}`;
}

function logTail(member: MemberProcess): string {
  const lines = readLogTail(member.logFile, tailLinesMax);
  return [`The end of ${member.logFile}:`, ...lines.map((line) => `  ${line}`), ""].join("\n");
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
