import type { LostEntries } from "./log-store.ts";

/** The only voter of a group lost entries: nobody can lead and send them again, so it does not start as if they had never been. */
export class EntriesLostError extends Error {
  override readonly name = "EntriesLostError";
  readonly lost: LostEntries;

  /** `learners` are named, for they may hold what is lost, although they can't lead. */
  constructor(lost: LostEntries, learners: readonly string[]) {
    super(
      `The only voter of the group lost entries from log index ${lost.from} on, which nobody can send it again: ${lost.description}. ` +
        (learners.length === 0 ? "" : `Learners may still hold them, read them there first: ${learners.join(", ")}. `) +
        "To start again, put back a copy of the whole data directory that was made while the member was stopped; it lacks what was written since. " +
        "Without a copy the member can only begin anew with an empty directory, which gives up everything it held",
    );
    this.lost = lost;
  }
}
