import { ClientError, connectClient, type EtcdClient, type NodeClientSettings, readEndpointList } from "@raftkv/client";
import type { Command } from "commander";
import { ProgramError, type Terminal, ToldError } from "../terminal.ts";
import { etcdExit, etcdExitHelp } from "./exit-status.ts";
import { type GlobalFlags, readTimeoutMs } from "./global-flags.ts";
import type { Answer } from "./output/answer.ts";
import { checkFormat, formatAnswer, type OutputSettings, parseOutputFormat } from "./output/output-format.ts";

/** One of etcd's verbs: what it is called, and what it does. */
export interface Verb<Options extends object> {
  /** Its last word: `grant` of `lease grant`. */
  readonly name: string;
  /** A shorter or other name. */
  readonly alias?: string;
  /** Its arguments, for help; `run` checks them. */
  readonly usage: string;
  readonly summary: string;
  readonly addOptions?: (command: Command) => Command;
  /** Resolves to an exit status if it is not 0. Rejects with ProgramError or ClientError. */
  readonly run: (call: VerbCall<Options>) => Promise<number | void>;
}

/** The world of the verbs. `finish` is told the exit status. */
export interface VerbHost {
  readonly terminal: Terminal;
  readonly finish: (status: number) => void;
}

/** One verb that runs. */
export class VerbCall<Options extends object> {
  readonly args: readonly string[];
  /** What stands behind `--`, which is also a part of `args`; null without `--`. */
  readonly afterDashes: readonly string[] | null;
  readonly options: Options;
  readonly flags: GlobalFlags;
  readonly terminal: Terminal;

  constructor(given: Pick<VerbCall<Options>, "args" | "afterDashes" | "options" | "flags" | "terminal">) {
    this.args = given.args;
    this.afterDashes = given.afterDashes;
    this.options = given.options;
    this.flags = given.flags;
    this.terminal = given.terminal;
  }

  /** Throws ProgramError. */
  get output(): OutputSettings {
    return { format: parseOutputFormat(this.flags.writeOut), hex: this.flags.hex };
  }

  /** Refuses a format that has no form for the answer, before anything is done. Throws ProgramError. */
  checkFormat(kind: Answer["kind"]): void {
    checkFormat(this.output.format, kind);
  }

  show(answer: Answer): void {
    this.terminal.writeOut(formatAnswer(answer, this.output));
  }

  /** For a client of its own. Throws ProgramError and RangeError. */
  clientSettings(endpoints: readonly string[] = this.flags.endpoints): NodeClientSettings {
    const { commandTimeout, dialTimeout } = this.flags;
    return {
      endpoints: readEndpointList(endpoints),
      timeoutMs: readTimeoutMs(commandTimeout),
      connectTimeoutMs: readTimeoutMs(dialTimeout),
    };
  }

  /** Runs with a client, and closes it. */
  withClient<Result>(run: (etcd: EtcdClient) => Promise<Result>): Promise<Result> {
    return this.withClientOf(this.flags.endpoints, run);
  }

  /** The same for these endpoints only. */
  async withClientOf<Result>(endpoints: readonly string[], run: (etcd: EtcdClient) => Promise<Result>): Promise<Result> {
    const client = connectClient(this.clientSettings(endpoints));
    try {
      return await run(client.etcd);
    } finally {
      client.close();
    }
  }
}

/** Adds the verb to the program, or to the word before it. */
export function addVerb<Options extends object>(parent: Command, verb: Verb<Options>, { terminal, finish }: VerbHost): void {
  const command = parent.command(verb.name).description(verb.summary).usage(verb.usage).argument("[arguments...]");
  command.addHelpText("afterAll", `\n${etcdExitHelp()}`);
  command.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "Error: ")) });
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new ToldError(etcdExit.error, error);
  });
  if (verb.alias !== undefined) command.alias(verb.alias);
  verb.addOptions?.(command);
  command.action(async (args: readonly string[]) => {
    const flags = command.optsWithGlobals<GlobalFlags>();
    const call = new VerbCall<Options>({ args, afterDashes: dashed(command, args), options: command.opts<Options>(), flags, terminal });
    finish(await outcome(call, verb));
  });
}

/** Commander drops the dashes; what stood behind them are the last arguments. */
function dashed(command: Command, args: readonly string[]): readonly string[] | null {
  const { rawArgs } = rootOf(command);
  const at = rawArgs.indexOf("--");
  return at < 0 ? null : args.slice(args.length - (rawArgs.length - at - 1));
}

function rootOf(command: Command): Command & { readonly rawArgs: readonly string[] } {
  let root = command;
  while (root.parent !== null) root = root.parent;
  // Commander documents it, but its types leave it out.
  return root as Command & { readonly rawArgs: readonly string[] };
}

async function outcome<Options extends object>(call: VerbCall<Options>, verb: Verb<Options>): Promise<number> {
  try {
    return (await verb.run(call)) ?? etcdExit.ok;
  } catch (error) {
    call.terminal.writeErr(`Error: ${errorText(error)}\n`);
    if (error instanceof ProgramError) return error.exitStatus;
    // A wrong endpoint or number.
    return error instanceof RangeError ? etcdExit.badArguments : etcdExit.error;
  }
}

/** What the server said, in its own words, else what happened. */
export function errorText(error: unknown): string {
  if (error instanceof ClientError && error.status !== null && isFromServer(error)) return error.status.message;
  return error instanceof Error ? error.message : String(error);
}

/** The server's last word on it, and not the end of attempts that had no answer. */
function isFromServer({ code }: ClientError): boolean {
  return code === "ERR_REJECTED" || code === "ERR_COMPACTED";
}
