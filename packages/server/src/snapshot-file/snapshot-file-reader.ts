import { createHash } from "node:crypto";
import { MemberDirectory } from "../cluster/member-directory.ts";
import { ReplicatedState } from "../state/replicated-state.ts";
import {
  decodeSnapshotFileHeader,
  decodeStateEnd,
  headerBytes,
  isWholeSize,
  SnapshotFileError,
  type SnapshotFileHeader,
  sumBytes,
  tailBytesMax,
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
    /** What can't be passed on yet: the beginning of the header, or what may stand behind the state. */
    let held: Uint8Array = new Uint8Array(0);
    let stateBytes = 0;
    for await (const chunk of this.chunks) {
      this.sizeBytes += chunk.length;
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      if (this.header === null) {
        if (held.length < headerBytes) continue;
        this.header = decodeSnapshotFileHeader(held);
        this.sum.update(held.subarray(0, headerBytes));
        held = held.subarray(headerBytes);
      }
      const passed = held.subarray(0, Math.max(held.length - tailBytesMax, 0));
      if (passed.length === 0) continue;
      this.sum.update(passed);
      stateBytes += passed.length;
      held = held.subarray(passed.length);
      yield passed;
    }
    yield this.restOfState(held, stateBytes);
  }

  /** What of the last bytes of the file belongs to the state, of which `passedBytes` were passed on. */
  private restOfState(tail: Uint8Array, passedBytes: number): Uint8Array {
    if (this.header === null || !isWholeSize(this.sizeBytes)) {
      throw new SnapshotFileError(`The snapshot of ${this.sizeBytes} bytes is cut off, or has something behind its end`);
    }
    const data = tail.subarray(0, -sumBytes);
    this.checkSum(data, tail.subarray(-sumBytes));
    const restBytes = decodeStateEnd(data) - passedBytes;
    if (restBytes < 0 || restBytes > data.length) throw new SnapshotFileError("The snapshot is damaged: its state has another length");
    return data.subarray(0, restBytes);
  }

  private checkSum(lastData: Uint8Array, expected: Uint8Array): void {
    this.sha256 = this.sum.update(lastData).digest();
    if (Buffer.compare(expected, this.sha256) === 0) return;
    const [given, computed] = [expected, this.sha256].map((sum) => Buffer.from(sum).toString("hex"));
    throw new SnapshotFileError(`The snapshot is damaged: expected sha256 ${given}, got ${computed}`);
  }
}
