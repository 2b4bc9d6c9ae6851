import { leaderOf } from "@raftkv/client";
import { type Command, Option } from "commander";
import { addClientFlags, type ClientFlags, withClient } from "./client-flags.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { statusJson, statusTable } from "./status-table.ts";
import type { Terminal } from "./terminal.ts";

interface StatusFlags extends ClientFlags {
  readonly output: "table" | "json";
}

/** Adds status. The exit status tells whether the cluster has a leader. */
export function addStatusCommand(program: Command, terminal: Terminal, finish: (status: ExitCode) => void): void {
  addClientFlags(program.command("status").description("show every member: role, term, progress, size"))
    .addOption(new Option("--output <format>", "how the result is printed").choices(["table", "json"]).default("table"))
    .action(async (_own: unknown, command: Command) => {
      const flags = command.optsWithGlobals<StatusFlags>();
      const status = await withClient(flags, {}, terminal, (client) => client.status());
      terminal.writeOut(flags.output === "json" ? statusJson(status) : statusTable(status));
      for (const member of status.members) {
        if (member.state === "down" && flags.verbose) terminal.writeErr(`raftkv: ${member.endpoint ?? member.name}: ${member.reason}\n`);
      }
      if (status.members.every((member) => member.state === "down")) {
        terminal.writeErr("raftkv: no member answered\n");
        finish(exitCode.noConnection);
      } else if (leaderOf(status) === null) {
        terminal.writeErr("raftkv: no member that answered is the leader\n");
        finish(exitCode.error);
      } else finish(exitCode.ok);
    });
}
