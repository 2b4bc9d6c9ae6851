/** What the exit status of etcd's verbs means: etcdctl's numbers. Help and README show this table. */
export const etcdExit = {
  ok: 0,
  error: 1,
  badConnection: 2,
  invalidInput: 3,
  badFeature: 4,
  interrupted: 5,
  badArguments: 128,
} as const;

export const etcdExitMeanings: readonly (readonly [number, string])[] = [
  [etcdExit.ok, "done; also if there is no such key"],
  [etcdExit.error, "an error that the message names: refused, or no answer in time"],
  [etcdExit.badConnection, "a lease could not be kept alive"],
  [etcdExit.invalidInput, "txn, watch -i: a line of the input can't be read; check perf: there are keys already"],
  [etcdExit.badFeature, "the answer can't be shown in this format, or an option has no such value"],
  [etcdExit.interrupted, "watch: the server ended it; snapshot save: the file could not be written"],
  [etcdExit.badArguments, "wrong arguments"],
];

/** The end of the help of each verb. */
export function etcdExitHelp(): string {
  return ["Exit status:", ...etcdExitMeanings.map(([code, meaning]) => `  ${String(code).padEnd(3)} ${meaning}`)].join("\n");
}
