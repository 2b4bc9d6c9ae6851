import { runProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

// The client's pauses between attempts do not keep a process alive.
const keepAlive = setInterval(() => undefined, 2 ** 30);
process.exitCode = await runProgram(process.argv.slice(2), processTerminal());
clearInterval(keepAlive);
