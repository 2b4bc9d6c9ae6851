import type { Terminal } from "./terminal.ts";

/** Set to 1 by `raftkv cluster`: the member stops, as by SIGTERM, when its standard input ends, which it does when the parent is gone. */
export const stopAtInputEndVariable = "RAFTKV_STOP_AT_INPUT_END";

/** `raftkv server …`: every argument belongs to the server, which also prints its help. Returns its exit status. */
export async function runServerCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const { runServer } = await import("@raftkv/server");
  if (terminal.environment[stopAtInputEndVariable] === "1") terminal.onInputEnd(() => process.kill(process.pid, "SIGTERM"));
  return runServer(args, terminal.environment);
}
