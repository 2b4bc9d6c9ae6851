import { openStore } from "./raftkv-log.ts";
import type { RecoveryReport } from "./recovery-run.ts";

/** Opens the store in the directory that is the only argument, reads snapshot and log, and tells the parent process what that took. */
const bytesPerKiB = 1024;
const [directory = ""] = process.argv.slice(2);
const idleRssBytes = process.memoryUsage.rss();
const startMs = performance.now();
const store = await openStore(directory);
const openedMs = performance.now();
const reader = await store.readSnapshot();
let snapshotBytes = 0;
if (reader !== null) for await (const chunk of reader.chunks()) snapshotBytes += chunk.length;
await reader?.close();
const snapshotReadMs = performance.now();
const { replay, entries, snapshot } = store.recovered;
let entryCount = entries.filter(({ index }) => index > (snapshot?.index ?? 0)).length;
if (replay !== null) for await (const some of replay.entries()) entryCount += some.length;
const report: RecoveryReport = {
  entries: entryCount,
  openMs: openedMs - startMs,
  readSnapshotMs: snapshotReadMs - openedMs,
  replayMs: performance.now() - snapshotReadMs,
  snapshotBytes,
  idleRssBytes,
  peakRssBytes: process.resourceUsage().maxRSS * bytesPerKiB,
};
await store.close();
process.send?.(report, () => process.disconnect());
