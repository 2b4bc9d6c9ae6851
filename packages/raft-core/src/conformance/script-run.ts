import { ConfchangeRunner } from "./confchange-runner.ts";
import { type Directive, parseScript, ScriptError } from "./datadriven.ts";
import { InteractionRunner } from "./interaction/interaction-runner.ts";
import { unifiedDiff } from "./line-diff.ts";
import { runQuorumDirective } from "./quorum-runner.ts";
import type { ScriptKind } from "./script-kind.ts";
import { changeText, changeTextOfRelease36 } from "./text/change-text.ts";

export interface ScriptResult {
  /** Directives that gave what is expected. */
  readonly passed: number;
  /** The first that did not; a script ends there, because what follows depends on it. */
  readonly failure: ScriptFailure | null;
}

export interface ScriptFailure {
  /** 1-based. */
  readonly line: number;
  /** The directive, and what is wrong. */
  readonly description: string;
}

/** Runs a script and compares what it gives, byte for byte. */
export function runScript(kind: ScriptKind, text: string): ScriptResult {
  let passed = 0;
  try {
    const run = runnerOf(kind, text);
    for (const directive of parseScript(text)) {
      const failure = failureOf(directive, run);
      if (failure !== null) return { passed, failure };
      passed++;
    }
  } catch (reason) {
    if (!(reason instanceof ScriptError)) throw reason;
    return { passed, failure: { line: reason.line, description: `${reason.message}\n` } };
  }
  return { passed, failure: null };
}

type Runner = (directive: Directive) => string;

function runnerOf(kind: ScriptKind, text: string): Runner {
  switch (kind) {
    case "quorum":
      return runQuorumDirective;
    case "confchange": {
      const runner = new ConfchangeRunner();
      return (directive) => runner.run(directive);
    }
    case "interaction": {
      const runner = new InteractionRunner(isOfRelease36(text) ? changeTextOfRelease36 : changeText);
      return (directive) => runner.run(directive);
    }
  }
}

/** Output recorded up to release 3.6 of the reference differs in one text, by which it can be told. */
function isOfRelease36(text: string): boolean {
  return /ignoring conf change \{/.test(text);
}

function failureOf(directive: Directive, run: Runner): ScriptFailure | null {
  const { command, expected, line } = directive;
  let actual: string;
  try {
    actual = run(directive);
  } catch (reason) {
    const what = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    return { line, description: `${command}: ${what}\n` };
  }
  if (actual !== "" && !actual.endsWith("\n")) actual += "\n";
  return actual === expected ? null : { line, description: `${command}\n${unifiedDiff(expected, actual)}` };
}
