import { ClientError } from "../../client-error.ts";

/** A watch needs history that is gone: whoever goes on has to read the keys anew, and watch from the revision of that read on. */
export class WatchCompactedError extends ClientError {
  override readonly name = "WatchCompactedError";
  /** The oldest revision that can still be watched. */
  readonly compactRevision: number;

  constructor(nextRevision: number, compactRevision: number) {
    super("ERR_COMPACTED", `Revision ${nextRevision}, which the watch needs next, is compacted; the oldest is ${compactRevision}`);
    this.compactRevision = compactRevision;
  }
}
