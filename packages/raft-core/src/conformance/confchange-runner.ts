import { type ChangeError, type ChangeResult, changeSimply, enterJoint, leaveJoint } from "../membership/changer.ts";
import { EMPTY_CONFIGURATION, isLearner, trackedIds } from "../membership/configuration.ts";
import type { Configuration, LogIndex, MemberOperation, NodeId } from "../types.ts";
import { CommandError } from "./command-error.ts";
import type { Directive } from "./datadriven.ts";
import { parseBoolean } from "./directive-arguments.ts";
import { parseOperations } from "./text/change-text.ts";
import { configurationText } from "./text/configuration-text.ts";
import { peersText } from "./text/peer-text.ts";

const errorTexts: Readonly<Record<ChangeError, string>> = {
  already_joint: "config is already joint",
  zero_voter_joint: "can't make a zero-voter config joint",
  not_joint: "can't leave a non-joint config",
  simple_while_joint: "can't apply simple config change in joint config",
  more_than_one_voter: "more than one voter changed without entering joint config",
  no_voters_left: "removed all voters",
};

/** Answers `simple`, `enter-joint` and `leave-joint` of one file, each from the configuration that the last one has made. */
export class ConfchangeRunner {
  private configuration: Configuration = EMPTY_CONFIGURATION;
  /** Where a leader would begin to send to each member. */
  private nextIndexes = new Map<NodeId, LogIndex>();
  private lastIndex: LogIndex = 0;

  /** Each directive, be it answered with an error, is one more entry in the log. */
  run(directive: Directive): string {
    try {
      return this.take(this.change(directive));
    } catch (reason) {
      if (reason instanceof CommandError) return reason.message;
      throw reason;
    } finally {
      this.lastIndex++;
    }
  }

  private change(directive: Directive): ChangeResult {
    const operations = parseOperations(directive.input);
    switch (directive.command) {
      case "simple":
        return changeSimply(this.configuration, operations);
      case "enter-joint":
        return enterJoint(this.configuration, operations, { autoLeave: parseBoolean(directive.arguments.value("autoleave") ?? "false") });
      case "leave-joint":
        return this.leave(operations);
      default:
        throw new CommandError("unknown command");
    }
  }

  private leave(operations: readonly MemberOperation[]): ChangeResult {
    if (operations.length > 0) throw new CommandError("this command takes no input");
    return leaveJoint(this.configuration);
  }

  private take(result: ChangeResult): string {
    if (!result.ok) throw new CommandError(errorTexts[result.error]);
    const { configuration, started } = result;
    const next = Math.max(this.lastIndex, 1);
    const ids = trackedIds(configuration);
    this.nextIndexes = new Map(ids.map((id) => [id, started.includes(id) ? next : this.nextIndexOf(id)]));
    this.configuration = configuration;
    return `${configurationText(configuration)}\n${peersText(ids.map((id) => this.peer(id)))}`;
  }

  /** A member that nobody has sent anything to. */
  private peer(id: NodeId) {
    return {
      id,
      state: "probe",
      match: 0,
      next: this.nextIndexOf(id),
      isLearner: isLearner(this.configuration, id),
      isPaused: false,
      pendingSnapshot: 0,
      isActive: true,
      isDistrusted: false,
      isUnderRepair: false,
      inflightMessages: 0,
      inflightBytes: 0,
      isInflightFull: false,
    } as const;
  }

  private nextIndexOf(id: NodeId): LogIndex {
    const next = this.nextIndexes.get(id);
    if (next === undefined) throw new Error(`Member ${id} is tracked, but its progress has never begun`);
    return next;
  }
}
