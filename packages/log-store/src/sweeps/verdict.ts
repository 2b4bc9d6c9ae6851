import type { LogStore } from "@raftkv/raft-node";
import { LogStoreError, type LogStoreErrorCode } from "../log-store-error.ts";
import { openTestStore } from "../testing/fixture.ts";
import type { MemoryDisk } from "../testing/memory-disk.ts";
import { type Acknowledged, checkSnapshot, firstMissing, Lie } from "./acknowledged.ts";

/**
 * What opening a directory came to.
 *
 * - `intact`: everything that was acknowledged is there.
 * - `cut`: the last batch, which nothing proves to have been synced, is gone.
 * - `repair`: the store names the first index that it may have lost, and has everything below.
 * - `quarantine`: term and vote are gone, and the store says so.
 * - `refused`: a coded error; nothing is served.
 * - `wrong`: something was lost or changed silently, or the code broke.
 */
export type Verdict =
  | { readonly kind: "intact" | "cut" | "repair" | "quarantine" }
  | { readonly kind: "refused"; readonly code: LogStoreErrorCode }
  | { readonly kind: "wrong"; readonly what: string };

/** The smallest segments there are: a few entries fill several of them, and they are quick to read. */
export const smallSegments = { segmentBytes: 24 * 1024, firstSegmentBytes: 24 * 1024 };
/** More calls to the disk than any opening needs: one that goes on for ever ends here. */
const CALLS_MAX = 2_000;

/** Opens what is on the disk as a member does, and looks at what comes out of it. */
export async function judge(disk: MemoryDisk, acknowledged: Acknowledged): Promise<Verdict> {
  const callsMax = disk.callCount + CALLS_MAX;
  disk.before = ({ number }) => {
    if (number > callsMax) throw new Error("Opening does not end");
  };
  try {
    const store = await openTestStore(disk, { ...smallSegments, seed: 99 });
    const verdict = await judgeStore(store, acknowledged);
    await store.close();
    return disk.openFiles === 0 ? verdict : { kind: "wrong", what: `${disk.openFiles} files stay open` };
  } catch (reason) {
    if (reason instanceof LogStoreError && reason.code !== "ERR_STORAGE_FAILED") return { kind: "refused", code: reason.code };
    return { kind: "wrong", what: String(reason) };
  }
}

async function judgeStore(store: LogStore, acknowledged: Acknowledged): Promise<Verdict> {
  const { quarantine, lost } = store.recovered;
  if (quarantine !== null) {
    await checkSnapshot(store, acknowledged);
    return { kind: "quarantine" };
  }
  const missing = await firstMissing(store, acknowledged);
  if (lost !== null) {
    if (lost.from > missing) throw new Lie(`names the entries from ${lost.from} on as lost, those from ${missing} on are missing`);
    return { kind: "repair" };
  }
  if (missing > acknowledged.entries.size) return { kind: "intact" };
  if (missing > acknowledged.provenIndex) return { kind: "cut" };
  throw new Lie(`silently lost the entries from ${missing} to ${acknowledged.entries.size}`);
}
