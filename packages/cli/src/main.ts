import { runProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

const status = await runProgram(process.argv.slice(2), processTerminal());
for (const stream of [process.stdout, process.stderr]) {
  await new Promise<void>((resolve) => stream.write("", () => resolve()));
}
// All is closed and written; a timer of a connection that is gone must not hold the process.
process.exit(status);
