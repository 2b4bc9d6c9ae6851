import { openChannel } from "../cluster/member-channel.ts";
import { SnapshotReader } from "./snapshot-reader.ts";

/** What was read, for the parent process. */
export interface SnapshotReading {
  readonly bytes: number;
  /** What went wrong first, or null. */
  readonly failure: string | null;
}

/** Reads snapshots from the member at the port that is the only argument until the parent says anything, then tells it what came. */
const [port = ""] = process.argv.slice(2);
const channel = openChannel(Number(port));
const reader = new SnapshotReader(channel);
process.once("message", () => {
  reader.stop();
  const { bytes, failure } = reader;
  process.send?.({ bytes, failure } satisfies SnapshotReading, () => {
    process.disconnect();
    void channel.close();
  });
});
