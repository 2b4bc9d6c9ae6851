/** A revision that can't be read: compacted away, or not there yet. Whoever asks the store checks before. */
export class RevisionError extends RangeError {
  override readonly name: string = "RevisionError";
  readonly reason: "compacted" | "future";

  constructor(reason: "compacted" | "future", message: string) {
    super(message);
    this.reason = reason;
  }
}
