import { expect, test } from "vitest";
import { runScript } from "./script-run.ts";

function check(text: string): void {
  expect(runScript("confchange", text).failure).toBeNull();
}

test("each command goes on from the last that was done, and moves the end of the log", () => {
  check(`simple
v1 l5
----
voters=(1) learners=(5)
1: StateProbe match=0 next=1
5: StateProbe match=0 next=1 learner

simple
v2 v3
----
more than one voter changed without entering joint config

enter-joint autoleave=true
r1 l1 v2
----
voters=(2)&&(1) learners=(5) learners_next=(1) autoleave
1: StateProbe match=0 next=1
2: StateProbe match=0 next=2
5: StateProbe match=0 next=1 learner

leave-joint
----
voters=(2) learners=(1 5)
1: StateProbe match=0 next=1 learner
2: StateProbe match=0 next=2
5: StateProbe match=0 next=1 learner
`);
});

test.each([
  ["leave-joint\nv1", "this command takes no input"],
  ["simple\nx1", "unknown input: x1"],
  ["simple\nv", "unknown token v"],
  ["simple\nvx", 'strconv.ParseUint: parsing "x": invalid syntax'],
  ["simple", "removed all voters"],
  ["join\nv1", "unknown command"],
])("%j is answered with an error", (directive, error) => {
  check(`${directive}\n----\n${error}\n`);
});
