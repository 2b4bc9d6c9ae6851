import type { LostEntries } from "./log-store.ts";

/** A member that is a group by itself lost entries: nobody else has them, so it does not start as if they had never been. */
export class EntriesLostError extends Error {
  override readonly name = "EntriesLostError";
  readonly lost: LostEntries;

  constructor(lost: LostEntries) {
    super(
      `The only voter of the group lost entries from log index ${lost.from} on, which no other member can send again: ${lost.description}. ` +
        "Restore its data directory from a backup, or let it start with an empty one, which gives up everything it held",
    );
    this.lost = lost;
  }
}
