import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/** A decimal number of 64 bits, or null. */
export function parseInt64(text: string): bigint | null {
  return /^[+-]?\d+$/.test(text) ? withinInt64(BigInt(text.replace("+", ""))) : null;
}

/** The id of a lease, which is hexadecimal. Throws ProgramError. */
export function parseLeaseId(text: string): bigint {
  const id = parseHex(text);
  if (id === null || id > int64Max) throw new ProgramError(etcdExit.badArguments, `bad lease ID "${text}", expecting ID in Hex`);
  return id;
}

/** The id of a member, which is hexadecimal. Throws ProgramError. */
export function parseMemberId(text: string): bigint {
  const id = parseHex(text);
  if (id === null) throw new ProgramError(etcdExit.badArguments, `bad member ID "${text}", expecting ID in Hex`);
  return id;
}

function parseHex(text: string): bigint | null {
  return /^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : null;
}

function withinInt64(value: bigint): bigint | null {
  return value >= int64Min && value <= int64Max ? value : null;
}
