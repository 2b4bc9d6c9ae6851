import { type Configuration, decodeChange, type LogEntry, type RaftCore } from "@raftkv/raft-core";
import { commandOf } from "./entry-envelope.ts";
import type { Requests } from "./requests.ts";
import type { StateMachine } from "./state-machine.ts";

export interface EntryApplierOptions<Result> {
  readonly core: Pick<RaftCore, "applyChange">;
  readonly stateMachine: StateMachine<Result>;
  /** Whoever waits for the entry is answered. */
  readonly requests: Requests<Result>;
  readonly onConfiguration: (configuration: Configuration) => void;
}

/** Applies committed entries, each to what it is for: the state machine, the members, nothing. */
export class EntryApplier<Result> {
  private readonly options: EntryApplierOptions<Result>;

  constructor(options: EntryApplierOptions<Result>) {
    this.options = options;
  }

  apply(entry: LogEntry): void {
    const { requests, stateMachine } = this.options;
    switch (entry.kind) {
      case "command":
        return requests.proposals.applied(entry.data, stateMachine.apply(entry, commandOf(entry.data)));
      case "configuration":
        return this.applyConfiguration(entry);
      case "empty":
        return;
      default:
        return entry.kind satisfies never;
    }
  }

  private applyConfiguration(entry: LogEntry): void {
    const { core, requests, stateMachine, onConfiguration } = this.options;
    const change = decodeChange(entry.data);
    // Every member reads the same bytes: what is no change to one is none to anybody.
    if (change === undefined) return;
    const configuration = core.applyChange(change);
    stateMachine.applyConfiguration?.(entry, configuration, commandOf(change.context));
    requests.changes.applied(change.context, { outcome: "applied", index: entry.index, configuration });
    onConfiguration(configuration);
  }
}
