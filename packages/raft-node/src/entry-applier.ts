import { type Configuration, decodeChange, type LogEntry, type RaftCore } from "@raftkv/raft-core";
import { BatchReader, batchCommandsMax, soleCommand } from "./command-batch.ts";
import type { MembershipChanges } from "./membership-changes.ts";
import type { Proposals } from "./proposals.ts";
import type { StateMachine } from "./state-machine.ts";

export interface EntryApplierOptions<Result> {
  readonly core: Pick<RaftCore, "applyChange">;
  readonly stateMachine: StateMachine<Result>;
  /** Whoever waits for the entry is answered. */
  readonly requests: {
    readonly proposals: Pick<Proposals<Result>, "ownSequence" | "applied">;
    readonly changes: Pick<MembershipChanges, "applied">;
  };
  readonly onConfiguration: (configuration: Configuration) => void;
}

/** Applies committed entries, each to what it is for: the state machine, the members, nothing. */
export class EntryApplier<Result> {
  private readonly options: EntryApplierOptions<Result>;
  /** Of the entry that is applied in part; null between two entries. */
  private reader: BatchReader | null = null;

  constructor(options: EntryApplierOptions<Result>) {
    this.options = options;
  }

  /** It stopped before the end of an entry, and goes on there. */
  get isInsideEntry(): boolean {
    return this.reader !== null;
  }

  /** Applies at most `commandsMax` commands of an entry. Returns how many it applied; an entry of another kind counts as one. */
  apply(entry: LogEntry, commandsMax: number): number {
    switch (entry.kind) {
      case "command":
        return this.applyCommands(entry, commandsMax);
      case "configuration":
        this.applyConfiguration(entry);
        return 1;
      case "empty":
        return 1;
      default:
        return entry.kind satisfies never;
    }
  }

  private applyCommands(entry: LogEntry, commandsMax: number): number {
    const { requests, stateMachine } = this.options;
    const { proposals } = requests;
    const reader = this.reader ?? new BatchReader(entry.data);
    const firstSequence = proposals.ownSequence(entry.data);
    let { place } = reader;
    const commands: Uint8Array[] = [];
    while (!reader.isAtEnd && commands.length < commandsMax) commands.push(reader.next());
    this.reader = reader.isAtEnd ? null : reader;
    if (commands.length > 1) stateMachine.prepare?.(commands);
    for (const command of commands) {
      const result = stateMachine.apply(entry, command, entry.index * batchCommandsMax + place);
      if (firstSequence >= 0) proposals.applied((firstSequence + place) >>> 0, result);
      place++;
    }
    return commands.length;
  }

  private applyConfiguration(entry: LogEntry): void {
    const { core, requests, stateMachine, onConfiguration } = this.options;
    const change = decodeChange(entry.data);
    // Every member reads the same bytes: what is no change to one is none to anybody.
    if (change === undefined) return;
    const configuration = core.applyChange(change);
    stateMachine.applyConfiguration?.(entry, configuration, soleCommand(change.context));
    requests.changes.applied(change.context, { outcome: "applied", index: entry.index, configuration });
    onConfiguration(configuration);
  }
}
