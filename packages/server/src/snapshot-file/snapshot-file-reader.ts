import { createHash } from "node:crypto";
import { MemberDirectory } from "../cluster/member-directory.ts";
import { ReplicatedState } from "../state/replicated-state.ts";
import {
  decodeSnapshotFileHeader,
  headerBytes,
  paddedBytes,
  SnapshotFileError,
  type SnapshotFileHeader,
  sumBytes,
} from "./snapshot-file-format.ts";

export interface SnapshotFileSummary extends SnapshotFileHeader {
  /** Of the whole file. */
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

/** A file that was read to its end, with everything that is in it. */
export interface SnapshotFile {
  readonly summary: SnapshotFileSummary;
  /** Keys, leases, alarms, and the members of the cluster that it was taken from. */
  readonly state: ReplicatedState;
}

/** Reads a file to its end and compares its sum, without keeping what is in it. Throws SnapshotFileError. */
export async function inspectSnapshotFile(chunks: AsyncIterable<Uint8Array>): Promise<SnapshotFileSummary> {
  const input = new SnapshotFileInput(chunks);
  for await (const _ of input.state()) continue;
  return input.summary;
}

/** Reads a file. Nothing of it is given before its sum was compared. Throws SnapshotFileError, or what is wrong with the state. */
export async function readSnapshotFile(chunks: AsyncIterable<Uint8Array>): Promise<SnapshotFile> {
  const input = new SnapshotFileInput(chunks);
  const state = new ReplicatedState(new MemberDirectory([]), 1);
  await state.restore(input.state());
  return { summary: input.summary, state };
}

/** Takes a file apart as it comes. */
class SnapshotFileInput {
  private readonly chunks: AsyncIterable<Uint8Array>;
  private readonly sum = createHash("sha256");
  private header: SnapshotFileHeader | null = null;
  private sizeBytes = 0;
  private sha256: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks;
  }

  /** When `state` was read to its end. */
  get summary(): SnapshotFileSummary {
    if (this.header === null) throw new Error("A snapshot file is summed up when it was read");
    return { ...this.header, sizeBytes: this.sizeBytes, sha256: this.sha256 };
  }

  /** The bytes of the state. Ends only if the sum of the file is right. */
  async *state(): AsyncGenerator<Uint8Array> {
    /** What can't be passed on yet: the beginning of the header, or what may be the sum. */
    let held: Uint8Array = new Uint8Array(0);
    let stateLeft = 0;
    let dataLeft = Number.POSITIVE_INFINITY;
    for await (const chunk of this.chunks) {
      this.sizeBytes += chunk.length;
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      if (this.header === null) {
        if (held.length < headerBytes) continue;
        this.header = decodeSnapshotFileHeader(held);
        this.sum.update(held.subarray(0, headerBytes));
        held = held.subarray(headerBytes);
        stateLeft = this.header.stateBytes;
        dataLeft = paddedBytes(stateLeft);
      }
      const data = held.subarray(0, dataLeft);
      this.sum.update(data);
      dataLeft -= data.length;
      held = held.subarray(data.length);
      if (held.length > sumBytes) throw new SnapshotFileError("The snapshot has bytes behind its end");
      if (stateLeft > 0) yield data.subarray(0, stateLeft);
      stateLeft -= Math.min(stateLeft, data.length);
    }
    this.end(held, dataLeft);
  }

  private end(rest: Uint8Array, dataLeft: number): void {
    if (this.header === null || dataLeft > 0 || rest.length < sumBytes) {
      throw new SnapshotFileError(`The snapshot is cut off after ${this.sizeBytes} bytes`);
    }
    this.sha256 = this.sum.digest();
    const expected = Buffer.from(rest);
    if (!expected.equals(this.sha256)) {
      const [given, computed] = [expected.toString("hex"), Buffer.from(this.sha256).toString("hex")];
      throw new SnapshotFileError(`The snapshot is damaged: expected sha256 ${given}, got ${computed}`);
    }
  }
}
