import type { KeyValueView } from "./key-value.ts";

/** A change where it lies, valid only within the visit that shows it. */
export interface EventView {
  readonly kind: "put" | "delete";
  readonly revision: number;
  /** What was put; of a delete only the key and the mod revision, everything else is 0 or empty. */
  readonly current: KeyValueView;
  /** What the key had before the revision; null if nothing, or if that is compacted. */
  readonly previous: KeyValueView | null;
}
