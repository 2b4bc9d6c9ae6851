import { decodeChange } from "../membership/change-codec.ts";
import type { ConfigurationChange, MemberOperation } from "../types.ts";

/**
 * The reference has two encodings of a configuration change, and the older one holds a single operation. Here a change of the older
 * kind is an ordinary one whose context says so.
 */
const OLD_STYLE = Uint8Array.of(1);

export function oldStyleChange(operation: MemberOperation): ConfigurationChange {
  return { transition: "auto", operations: [operation], context: OLD_STYLE };
}

export function isOldStyle(change: ConfigurationChange): boolean {
  return change.context.length > 0;
}

/** The change in an entry that a member of this test has proposed. */
export function decodedChange(data: Uint8Array): ConfigurationChange {
  const change = decodeChange(data);
  if (change === undefined) throw new Error("An entry holds no configuration change");
  return change;
}
