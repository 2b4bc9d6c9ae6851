/** What the exit status of `raftkv` means. Help and README show this table. */
export const exitCode = {
  ok: 0,
  error: 1,
  noConnection: 2,
  keyState: 3,
  redirect: 4,
  outcomeUnknown: 5,
  usage: 64,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

export const exitCodeMeanings: readonly (readonly [ExitCode, string])[] = [
  [exitCode.ok, "done"],
  [exitCode.error, "an error that the message names"],
  [exitCode.noConnection, "no connection, or no answer in time; nothing was written"],
  [exitCode.keyState, "get, remove: the key does not exist; put: it exists already"],
  [exitCode.redirect, "with --no-redirect: the leader is elsewhere"],
  [exitCode.outcomeUnknown, "the connection was lost during a write, which may or may not have been applied"],
  [exitCode.usage, "wrong usage"],
];

/** The end of `--help`. */
export function exitCodeHelp(): string {
  return ["Exit status:", ...exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padEnd(3)} ${meaning}`)].join("\n");
}
