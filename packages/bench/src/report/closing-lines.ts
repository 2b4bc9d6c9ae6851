/** What is to say when all members have been stopped: who had to be killed, and where their data are if they were kept. */
export function formatClosing(killed: readonly string[], keptIn: string | null): readonly string[] {
  return [
    ...(killed.length === 0 ? [] : [`${killed.join(", ")} did not stop within their time and were killed`]),
    ...(keptIn === null ? [] : [`data, logs and profiles are in ${keptIn}`]),
  ];
}
