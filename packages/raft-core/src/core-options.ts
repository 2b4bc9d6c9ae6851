import type { CoreOptions } from "./types.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** The options with their defaults filled in. Throws RangeError for what can't work. */
export function resolveOptions(options: CoreOptions): Required<CoreOptions> {
  const resolved: Required<CoreOptions> = {
    id: options.id,
    electionTicks: options.electionTicks,
    heartbeatTicks: options.heartbeatTicks,
    appendBytesMax: options.appendBytesMax ?? MIB,
    inflightMessagesMax: options.inflightMessagesMax ?? 256,
    inflightBytesMax: options.inflightBytesMax ?? 4 * MIB,
    uncommittedBytesMax: options.uncommittedBytesMax ?? 64 * MIB,
    applyBytesMax: options.applyBytesMax ?? 16 * MIB,
  };
  for (const [name, value] of Object.entries(resolved)) {
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`Option ${name} is ${value}, not a positive safe integer`);
  }
  if (resolved.electionTicks < 2 * resolved.heartbeatTicks) {
    throw new RangeError(`electionTicks ${resolved.electionTicks} is less than two heartbeats of ${resolved.heartbeatTicks} ticks`);
  }
  if (resolved.inflightBytesMax < resolved.appendBytesMax) {
    throw new RangeError(`inflightBytesMax ${resolved.inflightBytesMax} is less than appendBytesMax ${resolved.appendBytesMax}`);
  }
  return resolved;
}
