import { assert } from "../assert.ts";
import type { ChangeTransition, ConfigurationChange, MemberOperation } from "../types.ts";

/**
 * A configuration change as the data of a log entry, big-endian. It is stored and sent, so a number once given keeps its meaning.
 *
 * ```text
 *   0         1            2            6                10           10 + 8 n          10 + 8 n + c
 *   ┌─────────┬────────────┬────────────┬────────────────┬────────────┬─────────────────┐
 *   │ version │ transition │ operations │ context length │ operations │ context         │
 *   │ 1       │ 0 to 2     │ n, u32     │ c, u32         │ n × 8 bytes│ c bytes         │
 *   └─────────┴────────────┴────────────┴────────────────┴────────────┴─────────────────┘
 *   operation:  u8 type, 0 to 3 │ u56 id, at most 2^53 - 1
 * ```
 */
const VERSION = 1;
const HEADER_BYTES = 10;
const OPERATION_BYTES = 8;
/** The place in the list is the byte that stands for it. */
const TRANSITIONS: readonly ChangeTransition[] = ["auto", "implicit", "explicit"];
const OPERATION_TYPES: readonly MemberOperation["type"][] = ["addVoter", "addLearner", "remove", "update"];
/** An id is split after its lower 32 bits; the upper word also carries the type in its highest byte. */
const WORD = 2 ** 32;
const TYPE_SHIFT = 24;
const ID_UPPER_MASK = 2 ** TYPE_SHIFT - 1;

export function encodeChange(change: ConfigurationChange): Uint8Array {
  const { transition, operations, context } = change;
  const contextStart = HEADER_BYTES + operations.length * OPERATION_BYTES;
  const bytes = new Uint8Array(contextStart + context.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, TRANSITIONS.indexOf(transition));
  view.setUint32(2, operations.length);
  view.setUint32(6, context.length);
  operations.forEach((operation, place) => writeOperation(view, HEADER_BYTES + place * OPERATION_BYTES, operation));
  bytes.set(context, contextStart);
  return bytes;
}

/** Undefined for anything that `encodeChange` does not write. `context` is a view into `bytes`. */
export function decodeChange(bytes: Uint8Array): ConfigurationChange | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const transition = TRANSITIONS[view.getUint8(1)];
  const count = view.getUint32(2);
  const contextStart = HEADER_BYTES + count * OPERATION_BYTES;
  if (view.getUint8(0) !== VERSION || transition === undefined || contextStart + view.getUint32(6) !== bytes.length) return undefined;
  const operations: MemberOperation[] = [];
  for (let place = 0; place < count; place++) {
    const operation = readOperation(view, HEADER_BYTES + place * OPERATION_BYTES);
    if (operation === undefined) return undefined;
    operations.push(operation);
  }
  return { transition, operations, context: bytes.subarray(contextStart) };
}

function writeOperation(view: DataView, offset: number, operation: MemberOperation): void {
  const { type, id } = operation;
  assert(Number.isSafeInteger(id) && id >= 0, "A change names members by safe integers");
  view.setUint32(offset, OPERATION_TYPES.indexOf(type) * 2 ** TYPE_SHIFT + Math.floor(id / WORD));
  view.setUint32(offset + 4, id % WORD);
}

function readOperation(view: DataView, offset: number): MemberOperation | undefined {
  const upper = view.getUint32(offset);
  const type = OPERATION_TYPES[upper >>> TYPE_SHIFT];
  const id = (upper & ID_UPPER_MASK) * WORD + view.getUint32(offset + 4);
  return type === undefined || !Number.isSafeInteger(id) ? undefined : { type, id };
}
