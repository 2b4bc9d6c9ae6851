import { ClientError, type ClientErrorCode } from "@raftkv/client";
import { Command, CommanderError } from "commander";
import { addCheckDataCommand } from "./check-data-command.ts";
import { addClusterCommand } from "./cluster-command.ts";
import { versionText } from "./etcd/commands/version.ts";
import { addGlobalFlags, allGlobalFlags, type GlobalFlag, globalOptions, strayFlags } from "./etcd/global-flags.ts";
import { addEtcdVerbs } from "./etcd/verbs.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { addKeyValueCommands } from "./key-value-commands.ts";
import { runServerCommand } from "./server-command.ts";
import { addStatusCommand } from "./status-command.ts";
import { ProgramError, type Terminal, ToldError } from "./terminal.ts";

const exitCodeOfError: Readonly<Record<ClientErrorCode, ExitCode>> = {
  ERR_ABORTED: exitCode.error,
  ERR_BAD_REQUEST: exitCode.error,
  ERR_CLOSED: exitCode.error,
  ERR_COMPACTED: exitCode.error,
  ERR_LEASE_LOST: exitCode.error,
  ERR_OUTCOME_UNKNOWN: exitCode.outcomeUnknown,
  ERR_OVERLOADED: exitCode.error,
  ERR_REJECTED: exitCode.error,
  ERR_TIMEOUT: exitCode.noConnection,
  ERR_UNREACHABLE: exitCode.noConnection,
};

/** Runs `raftkv` with these arguments and resolves to its exit status. Never rejects for what a user can do. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    // The server reads its arguments itself, as etcd does.
    if (args[0] === "server") return await runServerCommand(args.slice(1), terminal);
    let status: number = exitCode.ok;
    const program = buildProgram(terminal, (given) => {
      status = given;
    });
    await program.parseAsync([...args], { from: "user" });
    return status;
  } catch (error) {
    return exitStatusOf(error, terminal);
  }
}

/** What commands other than etcd's verbs know to do with the flags of all. */
const flagsOfOwnCommands: Readonly<Record<string, readonly GlobalFlag[]>> = {
  kv: ["endpoints", "hex"],
  status: ["endpoints"],
  cluster: [],
  "check-data": [],
};

function buildProgram(terminal: Terminal, finish: (status: number) => void): Command {
  const program: Command = new Command("raftkv")
    .description("a strongly consistent, replicated key-value store")
    .configureOutput({ writeOut: (text) => terminal.writeOut(text), writeErr: (text) => terminal.writeErr(text) })
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (command) => globalOptions(program, flagsOf(firstWord(command))),
      subcommandTerm: (command) => `${command.name()} ${command.usage()}`.trim(),
    })
    .exitOverride()
    .hook("preAction", (_, command) => refuseStrayFlags(program, command));
  addGlobalFlags(program, terminal.environment);
  program.version(versionText(), "--version", "print the version of this program");
  program.commandsGroup("RaftKV's commands:");
  program.command("server").description("run one member; takes etcd's flags, see raftkv server --help");
  addClusterCommand(program, terminal, finish);
  addStatusCommand(program, terminal, finish);
  addKeyValueCommands(program, terminal, finish);
  addCheckDataCommand(program, terminal, finish);
  program.commandsGroup("etcdctl's verbs:");
  addEtcdVerbs(program, { terminal, finish });
  return program;
}

/** An option that would do nothing is refused. Throws ProgramError. */
function refuseStrayFlags(program: Command, command: Command): void {
  const name = firstWord(command);
  const [stray] = strayFlags(program, flagsOf(name));
  if (stray !== undefined) throw new ProgramError(exitCode.usage, `${stray} means nothing to raftkv ${name}, leave it out`);
}

/** `lease` of `lease grant`; empty for the program itself. */
function firstWord(command: Command): string {
  if (command.parent === null) return "";
  return command.parent.parent === null ? command.name() : firstWord(command.parent);
}

function flagsOf(name: string): readonly GlobalFlag[] {
  return name === "" ? [] : (flagsOfOwnCommands[name] ?? allGlobalFlags);
}

function exitStatusOf(error: unknown, terminal: Terminal): number {
  // Commander has already written its message; help that was asked for ends with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  if (error instanceof ToldError) return error.exitStatus;
  if (error instanceof ProgramError) return failed(terminal, error.message, error.exitStatus);
  if (error instanceof ClientError) return failed(terminal, error.message, exitCodeOfError[error.code]);
  // A wrong endpoint or number.
  if (error instanceof RangeError) return failed(terminal, error.message, exitCode.usage);
  return failed(terminal, error instanceof Error ? error.message : String(error), exitCode.error);
}

function failed(terminal: Terminal, message: string, status: number): number {
  terminal.writeErr(`raftkv: ${message}\n`);
  return status;
}
