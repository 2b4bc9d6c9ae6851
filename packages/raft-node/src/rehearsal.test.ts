import { expect, test } from "vitest";
import { rehearseElections } from "./rehearsal.ts";

test("a rehearsal goes as it must, as often as it is held", () => {
  rehearseElections();
  expect(rehearseElections).not.toThrow();
});
