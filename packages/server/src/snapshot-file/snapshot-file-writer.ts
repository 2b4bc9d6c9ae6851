import { createHash } from "node:crypto";
import type { Clock, StateSnapshot } from "@raftkv/raft-node";
import { nextTurn } from "../next-turn.ts";
import type { ReplicatedState } from "../state/replicated-state.ts";
import { encodeSnapshotFileHeader, headerBytes, paddedBytes, type SnapshotFileHeader } from "./snapshot-file-format.ts";

export interface SnapshotFileOptions {
  readonly state: ReplicatedState;
  readonly origin: Pick<SnapshotFileHeader, "clusterId" | "memberId" | "index" | "term">;
  readonly clock: Clock;
}

/**
 * The state of this moment as a file, made in pieces between which the member does everything else. The size of the state stands in
 * front of it, so it is written twice: once to be counted, once to be sent; both see the same, whatever is written or compacted meanwhile.
 * Close it in any case: until then no compacted memory is given back.
 */
export class SnapshotFileWriter {
  private readonly clock: Clock;
  private readonly header: Omit<SnapshotFileHeader, "stateBytes">;
  private readonly counted: StateSnapshot;
  private readonly sent: StateSnapshot;
  private stateBytes: Promise<number> | null = null;

  constructor({ state, origin, clock }: SnapshotFileOptions) {
    const { revision, compactRevision, keyCount } = state.store;
    this.clock = clock;
    this.header = { ...origin, revision, compactRevision, keyCount };
    this.counted = state.snapshot(origin.index);
    this.sent = state.snapshot(origin.index);
  }

  /** Everything but the sum. */
  async countDataBytes(): Promise<number> {
    return headerBytes + paddedBytes(await this.countStateBytes());
  }

  /** The file in pieces, the last of which is the sum. May be iterated once. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    const stateBytes = await this.countStateBytes();
    const sum = createHash("sha256");
    const header = encodeSnapshotFileHeader({ ...this.header, stateBytes });
    sum.update(header);
    yield header;
    for await (const chunk of this.sent.chunks()) {
      sum.update(chunk);
      yield chunk;
      await nextTurn(this.clock);
    }
    const padding = new Uint8Array(paddedBytes(stateBytes) - stateBytes);
    sum.update(padding);
    yield padding;
    yield sum.digest();
  }

  close(): void {
    this.counted.close();
    this.sent.close();
  }

  private countStateBytes(): Promise<number> {
    this.stateBytes ??= this.count();
    return this.stateBytes;
  }

  private async count(): Promise<number> {
    let bytes = 0;
    for await (const chunk of this.counted.chunks()) {
      bytes += chunk.length;
      await nextTurn(this.clock);
    }
    this.counted.close();
    return bytes;
  }
}
