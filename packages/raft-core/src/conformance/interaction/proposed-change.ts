import type { ChangeTransition, ConfigurationChange } from "../../types.ts";
import { CommandError } from "../command-error.ts";
import type { Directive } from "../datadriven.ts";
import { parseBoolean } from "../directive-arguments.ts";
import { oldStyleChange } from "../old-style-change.ts";
import { parseOperations } from "../text/change-text.ts";

const NO_CONTEXT = new Uint8Array(0);

/** The change that `propose-conf-change` asks for: operations as input, none of them to leave a joint configuration. Throws CommandError. */
export function proposedChange({ arguments: args, input }: Directive): ConfigurationChange {
  let isOld = false;
  let transition: ChangeTransition = "auto";
  for (const { key, values } of [...args].slice(1)) {
    for (const value of values) {
      if (key === "v1") isOld = parseBoolean(value);
      else if (key === "transition") transition = parseTransition(value);
      else throw new CommandError(`unknown command ${key}`);
    }
  }
  const operations = parseOperations(input);
  if (!isOld) return { transition, operations, context: NO_CONTEXT };
  const [operation, ...others] = operations;
  if (operation === undefined || others.length > 0 || transition !== "auto") {
    throw new CommandError("v1 conf change can only have one operation and no transition");
  }
  return oldStyleChange(operation);
}

function parseTransition(text: string): ChangeTransition {
  if (text === "auto" || text === "implicit" || text === "explicit") return text;
  throw new CommandError(`unknown transition ${text}`);
}
