import { tmpdir } from "node:os";
import type { ClusterFolderOptions } from "../cluster/cluster-folder.ts";
import { knownNames, parseFlags, secondsInMs, wholeNumber } from "../option-values.ts";
import { type FaultName, faultNames } from "./fault.ts";

export interface FailoverOptions extends ClusterFolderOptions {
  readonly faults: readonly FaultName[];
  /** Of each fault, for each system. */
  readonly trials: number;
  /** For how long puts go out before a signal, at the least. Members that have just started are slower: their code is still being compiled. */
  readonly leadInMs: number;
  /** Of the moments at which signals are sent, and of the keys of the steady load. */
  readonly seed: number;
  /** False: RaftKV alone, also if there is an etcd. */
  readonly withEtcd: boolean;
  /** A missed target is a failure. */
  readonly check: boolean;
  /** No faults: RaftKV alone under a steady load for so long. Null: faults. */
  readonly steadyMs: number | null;
  /** Where the results go as JSON, or null. */
  readonly jsonFile: string | null;
}

export const usage = `Usage: npm run failover -- [options]

Strikes the leader of a RaftKV cluster of three, and of an etcd cluster of three, if etcd is on the PATH, again and again, and measures
how long the others take no writes. With --steady: loads RaftKV and counts how often its leader changes, which must be never.

  --only FAULTS     of kill,pause,stop: SIGKILL, SIGSTOP or SIGTERM to the leader (default all)
  --trials N        of each fault, for each system; the systems take turns (default 30)
  --lead-in SECONDS of puts before each signal, and up to 0.3 s more (default 3)
  --seed N          of the moments at which signals are sent (default 1)
  --no-etcd         RaftKV alone
  --check           fail if RaftKV misses a target
  --steady SECONDS  no faults: saturating puts on RaftKV for so long
  --directory DIR   where the members keep their data; removed afterwards (default ${tmpdir()})
  --keep            leave data and logs there
  --json FILE       write the results as JSON, too
  --help
`;

const flags = {
  only: { type: "string", default: faultNames.join(",") },
  trials: { type: "string", default: "30" },
  "lead-in": { type: "string", default: "3" },
  seed: { type: "string", default: "1" },
  "no-etcd": { type: "boolean", default: false },
  check: { type: "boolean", default: false },
  steady: { type: "string" },
  directory: { type: "string", default: tmpdir() },
  keep: { type: "boolean", default: false },
  json: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

/** Null: help is asked for. Throws UsageError. */
export function parseFailoverOptions(args: readonly string[]): FailoverOptions | null {
  const values = parseFlags(args, flags);
  if (values.help) return null;
  return {
    faults: knownNames("Fault", values.only, faultNames),
    trials: wholeNumber("--trials", values.trials, 1000),
    leadInMs: secondsInMs("--lead-in", values["lead-in"], 0.1),
    seed: wholeNumber("--seed", values.seed, 0xffff_ffff),
    withEtcd: !values["no-etcd"],
    check: values.check,
    steadyMs: values.steady === undefined ? null : secondsInMs("--steady", values.steady, 1),
    directory: values.directory,
    keep: values.keep,
    jsonFile: values.json ?? null,
  };
}
