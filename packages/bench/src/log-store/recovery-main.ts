import { openStore } from "./raftkv-log.ts";
import type { RecoveryReport } from "./recovery-run.ts";

/** Opens the store in the directory that is the only argument, reads its snapshot, and tells the parent process what that took. */
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
const report: RecoveryReport = {
  entries: store.recovered.entries.length,
  openMs: openedMs - startMs,
  readSnapshotMs: performance.now() - openedMs,
  snapshotBytes,
  idleRssBytes,
  peakRssBytes: process.resourceUsage().maxRSS * bytesPerKiB,
};
await store.close();
process.send?.(report, () => process.disconnect());
