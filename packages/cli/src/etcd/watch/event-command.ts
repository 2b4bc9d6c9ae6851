import type { WatchEvent } from "@raftkv/client";
import { ProgramError, type Terminal } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";
import { quoted } from "../output/quoted.ts";

/** Runs a command for an event, of which variables tell it. Throws ProgramError if it fails. */
export async function runForEvent(
  command: readonly string[],
  { type, kv }: WatchEvent,
  revision: number,
  terminal: Terminal,
): Promise<void> {
  const failure = await terminal.run(command, {
    ETCD_WATCH_REVISION: String(revision),
    ETCD_WATCH_EVENT_TYPE: quoted(type === "put" ? "PUT" : "DELETE"),
    ETCD_WATCH_KEY: quoted(kv.key),
    ETCD_WATCH_VALUE: quoted(kv.value),
  });
  if (failure === null) return;
  throw new ProgramError(etcdExit.error, `command [${command.map((word) => quoted(word)).join(" ")}] error (${failure})`);
}
