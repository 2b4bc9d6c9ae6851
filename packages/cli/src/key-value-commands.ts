import type { RaftKVClient } from "@raftkv/client";
import { type Command, Option } from "commander";
import { addClientFlags, type ClientFlags, withClient } from "./client-flags.ts";
import { type ExitCode, exitCodeHelp } from "./exit-code.ts";
import { type OperationResult, type OutputFormat, showResult } from "./result-output.ts";
import type { Terminal } from "./terminal.ts";
import { decodeArgument, readValue } from "./value-argument.ts";

interface OperationFlags extends ClientFlags {
  readonly redirect: boolean;
  readonly output: OutputFormat;
  readonly hex: boolean;
}

interface Operation {
  readonly name: string;
  readonly summary: string;
  readonly run: (client: RaftKVClient, key: Uint8Array, value: Uint8Array) => Promise<OperationResult>;
}

const writes: readonly Operation[] = [
  { name: "put", summary: "create a key; refused if it exists", run: (client, key, value) => client.put(key, value) },
  { name: "update", summary: "create a key or replace its value", run: (client, key, value) => client.update(key, value) },
];

const others: readonly Operation[] = [
  { name: "get", summary: "print the value of a key", run: (client, key) => client.get(key) },
  { name: "remove", summary: "remove a key", run: (client, key) => client.remove(key) },
];

/** Adds kv put, update, get and remove. `finish` is told the exit status. */
export function addKeyValueCommands(program: Command, terminal: Terminal, finish: (status: ExitCode) => void): void {
  const kv = program
    .command("kv")
    .description("RaftKV's own operations, each on one key and applied exactly once")
    .usage("<command>")
    .addHelpText("afterAll", `\n${exitCodeHelp()}`);
  for (const operation of writes) {
    addOperationFlags(kv.command(operation.name).description(operation.summary), ["simple", "json"])
      .argument("<key>")
      .argument("<value>", 'the value; "-" takes all of standard input, byte for byte')
      .action(async (key: string, value: string, _own: unknown, command: Command) =>
        finish(await runOperation(operation, key, value, command.optsWithGlobals(), terminal)),
      );
  }
  for (const operation of others) {
    addOperationFlags(kv.command(operation.name).description(operation.summary), outputsOf(operation))
      .argument("<key>")
      .action(async (key: string, _own: unknown, command: Command) =>
        finish(await runOperation(operation, key, "", command.optsWithGlobals(), terminal)),
      );
  }
}

function outputsOf(operation: Operation): readonly OutputFormat[] {
  return operation.name === "get" ? ["simple", "json", "raw"] : ["simple", "json"];
}

function addOperationFlags(command: Command, outputs: readonly OutputFormat[]): Command {
  return addClientFlags(command)
    .option("--no-redirect", "do not ask the leader instead, print where it is")
    .addOption(new Option("--output <format>", "how the result is printed").choices(outputs).default("simple"));
}

async function runOperation(
  operation: Operation,
  key: string,
  value: string,
  flags: OperationFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const encoding = flags.hex ? "hex" : "text";
  const keyBytes = decodeArgument(key, encoding, "Key");
  const valueBytes = await readValue(value, encoding, terminal);
  const result = await withClient(flags, { followRedirects: flags.redirect }, terminal, (client) =>
    operation.run(client, keyBytes, valueBytes),
  );
  return showResult({ operation: operation.name, key, result }, flags.output, encoding, terminal);
}
