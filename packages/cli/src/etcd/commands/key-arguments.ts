import type { KeyRange } from "@raftkv/client";
import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";

export interface RangeOptions {
  readonly prefix?: boolean;
  readonly fromKey?: boolean;
}

/** `key [range_end]` with --prefix or --from-key, as get and del have them. Throws ProgramError. */
export function readKeyRange([key = "", end]: readonly string[], { prefix = false, fromKey = false }: RangeOptions): KeyRange {
  if (prefix && fromKey) throw badArguments("`--prefix` and `--from-key` cannot be set at the same time, choose one");
  if (end !== undefined && (prefix || fromKey)) {
    throw badArguments("too many arguments, only accept one argument when `--prefix` or `--from-key` is set");
  }
  if (prefix) return { prefix: key };
  if (fromKey) return { from: key };
  // An empty key is the server's to refuse; an empty end is none.
  return key === "" || end === undefined || end === "" ? key : { from: key, to: end };
}

export function badArguments(message: string): ProgramError {
  return new ProgramError(etcdExit.badArguments, message);
}
