import type { EtcdClient, Watch } from "@raftkv/client";
import { Command } from "commander";
import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";
import { splitArguments } from "../input/argument-line.ts";
import { readLineArguments } from "../input/line-arguments.ts";
import { LineReader } from "../input/line-reader.ts";
import type { Verb, VerbCall } from "../verb.ts";
import { addWatchOptions, readWatch, type WatchDefaults, type WatchOptions, type WatchRequest } from "../watch/watch-arguments.ts";
import { openWatch, printEvents } from "../watch/watch-loop.ts";

/** Watches that `watch -i` keeps open; each has a buffer of its own. */
const watchesMax = 1000;

export const watchVerb: Verb<WatchOptions> = {
  name: "watch",
  usage: "[options] [key [range_end]] [-- command arguments...]",
  summary: "print changes of a key, or of the keys of a range, as they happen",
  addOptions: (command) =>
    addWatchOptions(command.option("-i, --interactive", "read what to watch from standard input, line by line", false)).addHelpText(
      "after",
      [
        "",
        "The command is run for each event, with ETCD_WATCH_REVISION, ETCD_WATCH_EVENT_TYPE, ETCD_WATCH_KEY and ETCD_WATCH_VALUE. Without a",
        "key RAFTKV_WATCH_KEY is watched, up to RAFTKV_WATCH_RANGE_END. Lines of -i: watch [options] <key> [range_end] [-- command...], progress.",
      ].join("\n"),
    ),
  run: async (call) => {
    call.checkFormat("watch");
    if (call.options.interactive === true) return call.withClient((etcd) => watchLines(etcd, call));
    const request = readWatch(call, call.options, defaultsOf(call));
    return call.withClient((etcd) => printEvents(openWatch(etcd, request), request, call));
  },
};

function defaultsOf({ terminal: { environment } }: VerbCall<WatchOptions>): WatchDefaults {
  return { key: environment["RAFTKV_WATCH_KEY"], rangeEnd: environment["RAFTKV_WATCH_RANGE_END"] };
}

/** Reads what to watch until the input ends, which is an error as in etcdctl. A watch that fails ends all. */
async function watchLines(etcd: EtcdClient, call: VerbCall<WatchOptions>): Promise<void> {
  const lines = new LineReader(call.terminal.input);
  const watches: Watch[] = [];
  const { promise: failed, reject: fail } = deferred();
  for (;;) {
    const line = await Promise.race([lines.next(), failed]);
    if (line === null) throw new ProgramError(etcdExit.invalidInput, "Error reading watch request line: EOF");
    if (line === "progress") {
      // They share a stream, by which all of them are told.
      watches[0]?.requestProgress();
      continue;
    }
    const request = readLine(line, call);
    if (request === null) continue;
    if (watches.length >= watchesMax) throw new ProgramError(etcdExit.invalidInput, `More than ${watchesMax} watches are open`);
    const watch = openWatch(etcd, request);
    watches.push(watch);
    printEvents(watch, request, call).catch(fail);
  }
}

/** Null: the line is no request, which was said on standard error. Throws ProgramError. */
function readLine(line: string, call: VerbCall<WatchOptions>): WatchRequest | null {
  const words = splitArguments(line);
  const refuse = (reason: string): null => {
    call.terminal.writeErr(`Invalid command ${line} (${reason})\n`);
    return null;
  };
  const [verb, ...rest] = words;
  if (verb !== "watch") return refuse("only support watch");
  const defaults = defaultsOf(call);
  if (rest.length === 0 && defaults.key === undefined) return refuse("command type or key is not provided");
  const dashes = rest.indexOf("--");
  const { args, options } = readLineArguments<WatchOptions>(addWatchOptions(new Command()), rest, etcdExit.badArguments);
  return readWatch({ args, afterDashes: dashes < 0 ? null : rest.slice(dashes + 1) }, options, defaults);
}

function deferred(): { readonly promise: Promise<never>; readonly reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<never>((_, rejectWith) => {
    reject = rejectWith;
  });
  return { promise, reject };
}
