import { connectClient, type EtcdClient, type RaftKVClient } from "@raftkv/client";
import { ProgramError, type Terminal } from "../../terminal.ts";
import { parseDurationMs } from "../duration.ts";
import { etcdExit } from "../exit-status.ts";
import { type LoadModel, loadModel } from "../performance/load-model.ts";
import { progressBar } from "../performance/progress-bar.ts";
import { judgePerformance, type Measurement } from "../performance/verdict.ts";
import { runWriteLoad } from "../performance/write-load.ts";
import type { Verb, VerbCall } from "../verb.ts";
import { defragment } from "./defrag.ts";
import { badArguments } from "./key-arguments.ts";
import { untilStopped } from "./until-stopped.ts";

interface CheckPerfOptions {
  readonly load: string;
  readonly prefix: string;
  readonly duration: string;
  readonly autoCompact: boolean;
  readonly autoDefrag: boolean;
}

/** Of deleting what the check wrote, which may be a million keys. */
const cleanUpMs = 60_000;

export const checkPerfVerb: Verb<CheckPerfOptions> = {
  name: "perf",
  usage: "[options]",
  summary: "write for a minute, and say whether the cluster is fast enough",
  addOptions: (command) =>
    command
      .option("--load <model>", "s, m, l or xl: 150, 1000, 8000 or 15000 writes/s", "s")
      .option("--prefix <prefix>", "of the keys that are written, and deleted in the end", "/etcdctl-check-perf/")
      .option("--duration <duration>", "how long to write", "60s")
      .option("--auto-compact", "compact the store in the end", false)
      .option("--auto-defrag", "defragment the members at the endpoints in the end", false),
  run: async (call) => {
    const { options, terminal } = call;
    const model = loadModel(options.load);
    if (model === null) throw badArguments(`unknown load option ${options.load}, give s, m, l or xl`);
    const durationMs = parseDurationMs(options.duration) ?? 0;
    if (durationMs <= 0) throw badArguments(`"${options.duration}" is not a duration like 60s`);
    await call.withClient((etcd) => refuseOldKeys(etcd, options.prefix));
    const measurement = await measure(call, model, durationMs);
    await cleanUp(call);
    const { passed, lines } = judgePerformance(measurement, model);
    for (const line of lines) terminal.writeOut(`${line}\n`);
    return passed ? etcdExit.ok : etcdExit.error;
  },
};

/** Throws ProgramError: they would be deleted in the end. */
async function refuseOldKeys(etcd: EtcdClient, prefix: string): Promise<void> {
  const { count } = await etcd.range({ prefix }, { countOnly: true });
  if (count === 0) return;
  throw new ProgramError(etcdExit.invalidInput, `prefix "${prefix}" has keys. Delete with raftkv del --prefix ${prefix} first.`);
}

async function measure(call: VerbCall<CheckPerfOptions>, model: LoadModel, durationMs: number): Promise<Measurement> {
  const settings = call.clientSettings();
  const clients: readonly RaftKVClient[] = Array.from({ length: model.clients }, () => connectClient(settings));
  let measurement: Measurement = { latenciesMs: [], failures: 0, seconds: 1 };
  try {
    await untilStopped(call.terminal, async (stopped) => {
      const onProgress = progressShown(call.terminal, durationMs);
      const { prefix } = call.options;
      measurement = await runWriteLoad({ model, prefix, durationMs, clients: clients.map(({ etcd }) => etcd), stopped, onProgress });
    });
  } finally {
    for (const client of clients) client.close();
    if (call.terminal.showsProgress) call.terminal.writeErr("\n");
  }
  return measurement;
}

function progressShown(terminal: Terminal, durationMs: number): (doneMs: number) => void {
  let shown = "";
  return (doneMs) => {
    const bar = progressBar(doneMs, durationMs);
    if (!terminal.showsProgress || bar === shown) return;
    shown = bar;
    terminal.writeErr(`\r${bar} `);
  };
}

async function cleanUp(call: VerbCall<CheckPerfOptions>): Promise<void> {
  const { prefix, autoCompact, autoDefrag } = call.options;
  await call.withClient(async (etcd) => {
    const { header } = await etcd.delete({ prefix }, { timeoutMs: cleanUpMs });
    if (autoCompact) {
      await etcd.compact(header.revision, { physical: true, timeoutMs: cleanUpMs });
      call.terminal.writeOut(`Compacted with revision ${header.revision}\n`);
    }
  });
  if (autoDefrag) for (const endpoint of call.flags.endpoints) await defragment(endpoint, call);
}
