import type { ChangeTransition, ConfigurationChange, MemberOperation, NodeId } from "../../types.ts";
import { CommandError } from "../command-error.ts";
import { parseNumber } from "../directive-arguments.ts";
import { isOldStyle } from "../old-style-change.ts";

type OperationType = MemberOperation["type"];

const letters: Readonly<Record<OperationType, string>> = { addVoter: "v", addLearner: "l", remove: "r", update: "u" };
const operationNames: Readonly<Record<OperationType, string>> = {
  addVoter: "ConfChangeAddNode",
  addLearner: "ConfChangeAddLearnerNode",
  remove: "ConfChangeRemoveNode",
  update: "ConfChangeUpdateNode",
};
const transitionNames: Readonly<Record<ChangeTransition, string>> = {
  auto: "ConfChangeTransitionAuto",
  implicit: "ConfChangeTransitionJointImplicit",
  explicit: "ConfChangeTransitionJointExplicit",
};

/** `v2`, `r1` and so on, as scripts write them. */
export function operationsText(operations: readonly MemberOperation[]): readonly string[] {
  return operations.map(({ type, id }) => `${letters[type]}${id}`);
}

/** Reads operations separated by blanks. Throws CommandError. */
export function parseOperations(text: string): readonly MemberOperation[] {
  return text.trim() === "" ? [] : text.trim().split(" ").map(parseOperation);
}

/** A whole change in a log line. */
export type ChangeText = (change: ConfigurationChange) => string;

/** `transition:ConfChangeTransitionAuto changes:{type:ConfChangeAddNode node_id:3}`. */
export function changeText(change: ConfigurationChange): string {
  const changes = change.operations.map(({ type, id }) => ` changes:{type:${operationNames[type]} node_id:${id}}`);
  return `transition:${transitionNames[change.transition]}${changes.join("")}`;
}

/** The same up to release 3.6 of the reference: `{ConfChangeTransitionAuto [{ConfChangeAddNode 3}] []}`. */
export function changeTextOfRelease36(change: ConfigurationChange): string {
  const changes = change.operations.map(({ type, id }) => `${operationNames[type]} ${id}`);
  if (isOldStyle(change)) return `{${changes.join(" ")} [] 0}`;
  return `{${transitionNames[change.transition]} [${changes.map((text) => `{${text}}`).join(" ")}] []}`;
}

function parseOperation(token: string): MemberOperation {
  if (token.length < 2) throw new CommandError(`unknown token ${token}`);
  const idOf = (): NodeId => parseNumber(token.slice(1));
  switch (token.charAt(0)) {
    case "v":
      return { type: "addVoter", id: idOf() };
    case "l":
      return { type: "addLearner", id: idOf() };
    case "r":
      return { type: "remove", id: idOf() };
    case "u":
      return { type: "update", id: idOf() };
    default:
      throw new CommandError(`unknown input: ${token}`);
  }
}
