import type { Configuration, NodeId, SnapshotMeta } from "../../types.ts";
import { hex } from "./names.ts";

/** `voters=(1 2 3)&&(1 2) learners=(4) learners_next=(3) autoleave`. */
export function configurationText(configuration: Configuration): string {
  const { voters, outgoing, learners, learnersNext, autoLeave } = configuration;
  let text = `voters=${group(voters)}`;
  if (outgoing.length > 0) text += `&&${group(outgoing)}`;
  if (learners.length > 0) text += ` learners=${group(learners)}`;
  if (learnersNext.length > 0) text += ` learners_next=${group(learnersNext)}`;
  if (autoLeave) text += " autoleave";
  return text;
}

/** The configuration as a snapshot stores it. */
export function storedConfigurationText(configuration: Configuration): string {
  const { voters, outgoing, learners, learnersNext, autoLeave } = configuration;
  const list = (ids: readonly NodeId[]): string => `[${ids.join(" ")}]`;
  const halves = `Voters:${list(voters)} VotersOutgoing:${list(outgoing)}`;
  return `${halves} Learners:${list(learners)} LearnersNext:${list(learnersNext)} AutoLeave:${autoLeave}`;
}

/** `Index:4 Term:1 ConfState:Voters:[1 2] …`. */
export function snapshotText(snapshot: SnapshotMeta): string {
  return `Index:${snapshot.index} Term:${snapshot.term} ConfState:${storedConfigurationText(snapshot.configuration)}`;
}

function group(ids: readonly NodeId[]): string {
  return `(${ids.map(hex).join(" ")})`;
}
