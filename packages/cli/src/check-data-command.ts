import type { Command } from "commander";
import { dataReportText } from "./check-data-report.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { ProgramError, type Terminal } from "./terminal.ts";

/** Adds check-data. The exit status tells whether everything is there that the member acknowledged. */
export function addCheckDataCommand(program: Command, terminal: Terminal, finish: (status: ExitCode) => void): void {
  program
    .command("check-data")
    .description("read every byte of a stopped member's data directory, and say what a start would do")
    .argument("<directory>", "what the member has as --data-dir")
    .option("--json", "print the report as one JSON object")
    .action(async (directory: string, flags: { readonly json?: true }) => {
      const { checkData, isWrongDirectory, LogStoreError } = await import("@raftkv/server");
      const report = await checkData(directory).catch((error: unknown) => {
        if (!(error instanceof LogStoreError)) throw error;
        throw new ProgramError(isWrongDirectory(error) ? exitCode.usage : exitCode.error, error.message);
      });
      if (report.outcome === "empty")
        throw new ProgramError(exitCode.usage, `${directory} is no data directory: nothing of a member is in it`);
      terminal.writeOut(flags.json === true ? `${JSON.stringify(report)}\n` : dataReportText(report));
      finish(report.outcome === "sound" ? exitCode.ok : exitCode.error);
    });
}
