/** What an operation of RaftKV's own service did, as a session remembers it. */
export interface OperationResult {
  readonly outcome: "created" | "updated" | "removed" | "already-exists" | "not-found";
  readonly revision: number;
}

/** The number in the bytes is the place here: never changed, only added to. */
const outcomes: readonly OperationResult["outcome"][] = ["created", "updated", "removed", "already-exists", "not-found"];

const resultBytes = 9;

/**
 *     +-------------+-----------------------------+
 *     | outcome (1) | revision (8, big-endian)    |
 *     +-------------+-----------------------------+
 */
export function encodeOperationResult({ outcome, revision }: OperationResult): Uint8Array {
  const bytes = new Uint8Array(resultBytes);
  bytes[0] = outcomes.indexOf(outcome);
  new DataView(bytes.buffer).setBigUint64(1, BigInt(revision));
  return bytes;
}

/** Throws RangeError if they can't be what `encodeOperationResult` made. */
export function decodeOperationResult(bytes: Uint8Array): OperationResult {
  const outcome = outcomes[bytes[0] ?? outcomes.length];
  if (bytes.length !== resultBytes || outcome === undefined) throw new RangeError(`${bytes.length} bytes are no result of an operation`);
  const revision = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(1));
  return { outcome, revision };
}
