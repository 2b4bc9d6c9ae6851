import { createHash } from "node:crypto";
import { type Clock, type Pace, pacedChunks, type StateSnapshot } from "@raftkv/raft-node";
import { nextTurn } from "../next-turn.ts";
import type { ReplicatedState } from "../state/replicated-state.ts";
import { encodeSnapshotFileHeader, encodeStateEnd, headerBytes, type SnapshotFileHeader } from "./snapshot-file-format.ts";

/**
 * For the time in which somebody writes: slower than saving, as to send a chunk and to read it costs the machine as much again. It leaves
 * about 10 MB/s at 256 KiB a chunk.
 */
const sendingPace: Pace = { restPerWork: 15, restMsMax: 25 };

export interface SnapshotFileOptions {
  readonly state: ReplicatedState;
  readonly origin: Pick<SnapshotFileHeader, "clusterId" | "memberId" | "index" | "term">;
  readonly clock: Clock;
}

/**
 * The state of this moment as a file, made in pieces between which the member does everything else, and much slower while somebody
 * writes: it holds nothing of what is written or compacted meanwhile. Close it in any case: until then no compacted memory is given back.
 */
export class SnapshotFileWriter {
  /** About what the file takes without its sum: nobody knows before it is written. */
  readonly dataBytesEstimate: number;
  /** What comes now is the end of the state, and the sum. */
  isStateWritten = false;
  private readonly clock: Clock;
  private readonly header: SnapshotFileHeader;
  private readonly state: ReplicatedState;
  private readonly snapshot: StateSnapshot;

  constructor({ state, origin, clock }: SnapshotFileOptions) {
    const { revision, compactRevision, keyCount, payloadBytes } = state.store;
    this.clock = clock;
    this.header = { ...origin, revision, compactRevision, keyCount };
    this.dataBytesEstimate = headerBytes + payloadBytes;
    this.state = state;
    this.snapshot = state.snapshot(origin.index);
  }

  /** The file in pieces, the last of which is the sum. May be iterated once. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    const sum = createHash("sha256");
    const header = encodeSnapshotFileHeader(this.header);
    sum.update(header);
    yield header;
    let stateBytes = 0;
    for await (const chunk of pacedChunks(this.snapshot.chunks(), this.clock, { ...sendingPace, isBusy: this.writeWatch() })) {
      stateBytes += chunk.length;
      sum.update(chunk);
      yield chunk;
      // What waits is served before anybody asks whether something was written.
      await nextTurn(this.clock);
    }
    this.isStateWritten = true;
    const end = encodeStateEnd(stateBytes);
    sum.update(end);
    yield end;
    yield sum.digest();
  }

  close(): void {
    this.snapshot.close();
  }

  /** Tells whether anything was written since it was last asked. */
  private writeWatch(): () => boolean {
    let { revision } = this.state.store;
    return () => {
      const before = revision;
      ({ revision } = this.state.store);
      return revision !== before;
    };
  }
}
