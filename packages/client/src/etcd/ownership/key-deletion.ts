import { longestTimeoutMs } from "../../client-options.ts";
import { WatchCompactedError } from "../watch/watch-compacted-error.ts";
import type { QueueContext } from "./queue-context.ts";

/** A key as it was at a revision, of which the deletion is waited for. */
export interface AwaitedKey {
  readonly key: Uint8Array;
  readonly createRevision: number;
  readonly revision: number;
}

/** Resolves when the key was deleted, whatever became of it then. Rejects with ClientError, and with the signal's reason. */
export async function deletionOf(context: Pick<QueueContext, "kv" | "watch">, awaited: AwaitedKey, signal: AbortSignal): Promise<void> {
  const { key, createRevision } = awaited;
  let { revision } = awaited;
  for (;;) {
    try {
      const watch = context.watch(key, { startRevision: revision + 1, only: "deletes", signal });
      for await (const { events } of watch) if (events.length > 0) return;
      signal.throwIfAborted();
    } catch (error) {
      if (!(error instanceof WatchCompactedError)) throw error;
    }
    // What happened meanwhile can only be seen by what is there.
    const { kvs, header } = await context.kv.range(key, { signal, timeoutMs: longestTimeoutMs });
    if (kvs[0]?.createRevision !== createRevision) return;
    revision = header.revision;
  }
}
