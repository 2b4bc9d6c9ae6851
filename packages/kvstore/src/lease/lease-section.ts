import { readSafeInteger, SnapshotFormatError, writeSafeInteger } from "../snapshot-format.ts";
import { sectionPieceBytes } from "../snapshot-section.ts";
import type { Lease } from "./lease.ts";

/**
 * A lease in a snapshot, big-endian. Leases come in the order in which they were granted.
 *
 *     0        8                 16                 24                      32
 *     | id i64 | ttl seconds u64 | grant number u64 | remaining seconds u64 |
 */
const leaseBytes = 32;
const leasesPerPiece = sectionPieceBytes / leaseBytes;

/** Pieces of many leases each, or one empty piece. */
export function* encodedLeases(leases: readonly Lease[]): Generator<Uint8Array> {
  let at = 0;
  do {
    yield encodeLeases(leases.slice(at, at + leasesPerPiece));
    at += leasesPerPiece;
  } while (at < leases.length);
}

function encodeLeases(leases: readonly Lease[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(leases.length * leaseBytes));
  let at = 0;
  for (const { id, ttlSeconds, grantNumber, remainingSeconds } of leases) {
    view.setBigInt64(at, id);
    writeSafeInteger(view, at + 8, ttlSeconds);
    writeSafeInteger(view, at + 16, grantNumber);
    writeSafeInteger(view, at + 24, remainingSeconds);
    at += leaseBytes;
  }
  return new Uint8Array(view.buffer);
}

/** @throws SnapshotFormatError */
export function decodeLeases(bytes: Uint8Array): readonly Lease[] {
  if (bytes.length % leaseBytes !== 0) throw new SnapshotFormatError(`Leases of ${bytes.length} bytes are not a multiple of ${leaseBytes}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / leaseBytes }, (_, place) => readLease(view, place * leaseBytes));
}

function readLease(view: DataView, at: number): Lease {
  const lease: Lease = {
    id: view.getBigInt64(at),
    ttlSeconds: readSafeInteger(view, at + 8, "Time to live"),
    grantNumber: readSafeInteger(view, at + 16, "Grant number"),
    remainingSeconds: readSafeInteger(view, at + 24, "Remaining time"),
  };
  if (lease.id === 0n) throw new SnapshotFormatError("A lease has id 0");
  if (lease.remainingSeconds > lease.ttlSeconds) {
    throw new SnapshotFormatError(`Lease ${lease.id} has ${lease.remainingSeconds} of ${lease.ttlSeconds} seconds left`);
  }
  return lease;
}
