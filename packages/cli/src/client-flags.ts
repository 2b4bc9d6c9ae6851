import { type ClientEvent, type ClientSettings, connectClient, type RaftKVClient, readEndpointList } from "@raftkv/client";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { GlobalFlags } from "./etcd/global-flags.ts";
import { redirectText } from "./result-output.ts";
import type { Terminal } from "./terminal.ts";

/** The options of RaftKV's own commands with a client, as commander gives them. */
export interface ClientFlags extends Pick<GlobalFlags, "endpoints"> {
  readonly timeout: number;
  readonly verbose: boolean;
}

const defaultTimeoutMs = 5000;

export function addClientFlags(command: Command): Command {
  return command
    .addOption(
      new Option("--timeout <ms>", "time for the whole command in milliseconds")
        .default(defaultTimeoutMs)
        .argParser((text) => parseWholeNumber(text, { min: 1, max: 2 ** 31 - 1 })),
    )
    .option("--verbose", "say on standard error which members redirected or failed, each once", false);
}

/** For commander: throws InvalidArgumentError. */
export function parseWholeNumber(text: string, range: { readonly min: number; readonly max: number }): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value < range.min || value > range.max) {
    throw new InvalidArgumentError(`"${text}" is not a whole number between ${range.min} and ${range.max}.`);
  }
  return value;
}

/** Runs with a client on real sockets, and closes it. */
export async function withClient<Result>(
  flags: ClientFlags,
  settings: Pick<ClientSettings, "followRedirects">,
  terminal: Terminal,
  run: (client: RaftKVClient) => Promise<Result>,
): Promise<Result> {
  const told = new Set<string>();
  const tell = (event: ClientEvent): void => {
    const line = `raftkv: ${event.from}: ${event.kind === "redirect" ? redirectText(event.leader) : event.reason}\n`;
    if (told.has(line)) return;
    told.add(line);
    terminal.writeErr(line);
  };
  const client = connectClient({
    ...settings,
    endpoints: readEndpointList(flags.endpoints),
    timeoutMs: flags.timeout,
    ...(flags.verbose ? { onEvent: tell } : {}),
  });
  try {
    return await run(client);
  } finally {
    client.close();
  }
}
