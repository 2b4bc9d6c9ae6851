import { type Command, CommanderError } from "commander";
import { ProgramError } from "../../terminal.ts";

export interface LineArguments<Options> {
  readonly args: readonly string[];
  readonly options: Options;
}

/** Reads the arguments of a verb that stands in a line of the input. Throws ProgramError with `exitStatus`. */
export function readLineArguments<Options extends object>(
  command: Command,
  words: readonly string[],
  exitStatus: number,
): LineArguments<Options> {
  command
    .argument("[arguments...]")
    .helpOption(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  try {
    command.parse([...words], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new ProgramError(exitStatus, error.message.replace(/^error: /, ""), { cause: error });
  }
  return { args: command.args, options: command.opts<Options>() };
}
