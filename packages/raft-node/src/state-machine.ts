import type { Configuration, LogEntry, LogIndex } from "@raftkv/raft-core";

/** A consistent image of the state at `index`, readable while the state goes on changing. */
export interface StateSnapshot {
  readonly index: LogIndex;
  /** The same state gives the same bytes on every member. May be iterated once; a chunk is gone when the next is asked for. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Must be called, also if `chunks` was not read to its end. */
  close(): void;
}

/**
 * What is replicated. Deterministic: the same entries give the same state and results on every member; it reads no clock and no
 * chance. All calls come from one event loop, never two at once.
 */
export interface StateMachine<Result> {
  /**
   * Applies one committed command. `command` is what was proposed; it is not written into and may be kept. Several commands may have the same
   * `entry`; `number` ascends from command to command and is the same on all members. Must not throw.
   */
  apply(entry: LogEntry, command: Uint8Array, number: number): Result;
  /**
   * Several commands are about to be applied, one after the other: a chance to read ahead what they need. Changes nothing that a command or a
   * snapshot would notice. Must not throw.
   */
  prepare?(commands: readonly Uint8Array[]): void;
  /**
   * The members are those of `configuration` from this entry on. `context` is what came with the change, for instance the addresses
   * of a new member; empty if nothing came. Must not throw.
   */
  applyConfiguration?(entry: LogEntry, configuration: Configuration, context: Uint8Array): void;
  /**
   * A part of the log was applied at the start, before there are turns that leave time for it: gives back the memory that is not needed any
   * more. Must not throw.
   */
  reclaim?(): void;
  /** The state after the last applied entry, `index`. At most one snapshot is open at a time. */
  snapshot(index: LogIndex): StateSnapshot;
  /** Replaces the whole state. If it rejects, the member stops. */
  restore(chunks: AsyncIterable<Uint8Array>): Promise<void>;
}
