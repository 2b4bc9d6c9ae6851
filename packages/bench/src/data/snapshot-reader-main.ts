import { openChannel } from "../cluster/member-channel.ts";
import { SnapshotReader } from "./snapshot-reader.ts";

/** What was read, for the parent process. */
export interface SnapshotReading {
  readonly bytes: number;
  /** What went wrong first, or null. */
  readonly failure: string | null;
}

/** Between two looks whether something has come. */
const lookEveryMs = 5;

// Reads snapshots from the member at the port that is the only argument until the parent says anything, or is gone. It tells the parent when
// something has come, and what it was in the end.
const [port = ""] = process.argv.slice(2);
const channel = openChannel(Number(port));
const reader = new SnapshotReader(channel);
const tell = (): void => {
  const { bytes, failure } = reader;
  process.send?.({ bytes, failure } satisfies SnapshotReading);
};
const look = setInterval(() => {
  if (reader.bytes === 0 && reader.failure === null) return;
  clearInterval(look);
  tell();
}, lookEveryMs);
process.once("message", () => {
  clearInterval(look);
  reader.stop();
  tell();
  process.disconnect();
});
process.once("disconnect", () => {
  clearInterval(look);
  reader.stop();
  void channel.close();
});
