import { ClientError, type ClientErrorCode } from "@raftkv/client";
import { Command, CommanderError } from "commander";
import { addCheckDataCommand } from "./check-data-command.ts";
import { addClusterCommand } from "./cluster-command.ts";
import { type ExitCode, exitCode, exitCodeHelp } from "./exit-code.ts";
import { addKeyValueCommands } from "./key-value-commands.ts";
import { runServerCommand } from "./server-command.ts";
import { addStatusCommand } from "./status-command.ts";
import { ProgramError, type Terminal } from "./terminal.ts";

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

function buildProgram(terminal: Terminal, finish: (status: ExitCode) => void): Command {
  const program = new Command("raftkv")
    .description("a strongly consistent, replicated key-value store")
    .configureOutput({ writeOut: (text) => terminal.writeOut(text), writeErr: (text) => terminal.writeErr(text) })
    .exitOverride()
    .addHelpText("afterAll", `\n${exitCodeHelp()}`);
  addKeyValueCommands(program, terminal, finish);
  addStatusCommand(program, terminal, finish);
  program.command("server").description("run one member; takes etcd's flags, see raftkv server --help");
  addClusterCommand(program, terminal, finish);
  addCheckDataCommand(program, terminal, finish);
  return program;
}

function exitStatusOf(error: unknown, terminal: Terminal): number {
  // Commander has already written its message; help that was asked for ends with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
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
