import { expect, test } from "vitest";
import type { ConfigurationChange, MemberOperation } from "../../types.ts";
import { oldStyleChange } from "../old-style-change.ts";
import { changeText, changeTextOfRelease36, operationsText, parseOperations } from "./change-text.ts";

const operations: readonly MemberOperation[] = [
  { type: "addVoter", id: 3 },
  { type: "addLearner", id: 14 },
  { type: "remove", id: 1 },
  { type: "update", id: 2 },
];

test("operations are written as they are read", () => {
  expect(parseOperations(" v3 l14 r1 u2 ")).toEqual(operations);
  expect(operationsText(operations).join(" ")).toBe("v3 l14 r1 u2");
  expect(parseOperations("")).toEqual([]);
});

test.each<readonly [ConfigurationChange, string, string]>([
  [
    { transition: "explicit", operations, context: new Uint8Array(0) },
    "transition:ConfChangeTransitionJointExplicit changes:{type:ConfChangeAddNode node_id:3} changes:{type:ConfChangeAddLearnerNode node_id:14} changes:{type:ConfChangeRemoveNode node_id:1} changes:{type:ConfChangeUpdateNode node_id:2}",
    "{ConfChangeTransitionJointExplicit [{ConfChangeAddNode 3} {ConfChangeAddLearnerNode 14} {ConfChangeRemoveNode 1} {ConfChangeUpdateNode 2}] []}",
  ],
  [
    { transition: "implicit", operations: [], context: new Uint8Array(0) },
    "transition:ConfChangeTransitionJointImplicit",
    "{ConfChangeTransitionJointImplicit [] []}",
  ],
  [
    oldStyleChange({ type: "addVoter", id: 3 }),
    "transition:ConfChangeTransitionAuto changes:{type:ConfChangeAddNode node_id:3}",
    "{ConfChangeAddNode 3 [] 0}",
  ],
])("%j in a log line, now and up to release 3.6", (change, now, before) => {
  expect(changeText(change)).toBe(now);
  expect(changeTextOfRelease36(change)).toBe(before);
});
