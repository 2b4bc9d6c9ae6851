import { CREATE_TAG, DELETE_RANGE_TAG, PUT_TAG, REMOVE_TAG, UPDATE_TAG } from "./command.ts";

const KEY_TAG = 0x0a;

/** Where a key is in a command: `length` bytes from `start` on. */
export interface KeyPlace {
  start: number;
  length: number;
}

/**
 * Finds the key of a command of one key without decoding it, if it stands where encoders put it, in front of the other fields. Returns false if
 * there is none, as in anything that is no such command.
 */
export function locateKey(command: Uint8Array, place: KeyPlace): boolean {
  const tag = command[0];
  if (tag !== PUT_TAG && tag !== DELETE_RANGE_TAG && tag !== CREATE_TAG && tag !== UPDATE_TAG && tag !== REMOVE_TAG) return false;
  let at = 1;
  while ((command[at] as number) > 0x7f) at++;
  at++;
  if (command[at] !== KEY_TAG) return false;
  let length = 0;
  let shift = 0;
  let byte: number;
  do {
    byte = command[++at] ?? 0;
    length |= (byte & 0x7f) << shift;
    shift += 7;
  } while (byte > 0x7f && shift < 28);
  place.start = at + 1;
  place.length = length;
  return byte <= 0x7f && place.start + length <= command.length;
}
