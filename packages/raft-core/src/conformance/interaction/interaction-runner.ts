import { CommandError } from "../command-error.ts";
import type { Directive } from "../datadriven.ts";
import { OutputSink } from "../output-sink.ts";
import type { ChangeText } from "../text/change-text.ts";
import { commands } from "./commands.ts";
import { ScriptedCluster } from "./scripted-cluster.ts";

/** Answers the directives of one file, which share a cluster. */
export class InteractionRunner {
  private readonly sink = new OutputSink();
  private readonly cluster: ScriptedCluster;

  constructor(changeText: ChangeText) {
    this.cluster = new ScriptedCluster(this.sink, changeText);
  }

  /** All that was written, `ok` for nothing. An error is heard at every level. */
  run(directive: Directive): string {
    this.sink.clear();
    const error = this.errorOf(directive);
    if (error !== null && this.sink.isSilent) return error;
    if (error !== null) this.sink.write(error);
    return this.sink.text === "" ? "ok" : this.sink.text;
  }

  private errorOf(directive: Directive): string | null {
    try {
      const command = commands.get(directive.command);
      if (command === undefined) throw new CommandError("unknown command");
      command(this.cluster, directive);
      return null;
    } catch (reason) {
      if (reason instanceof CommandError) return reason.message;
      throw reason;
    }
  }
}
