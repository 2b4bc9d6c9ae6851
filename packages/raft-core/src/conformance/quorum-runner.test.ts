import { expect, test } from "vitest";
import { runScript } from "./script-run.ts";

test.each([
  [
    "the index that a majority has reached",
    "committed cfg=(1,2,3) idx=(4,_,9)",
    "       idx\nx>       4    (id=1)\n?        0    (id=2)\nxx>      9    (id=3)\n4\n",
  ],
  ["equal indexes with equal bars", "committed cfg=(7,11) idx=(5,5)", "      idx\n>       5    (id=7)\n>       5    (id=b)\n5\n"],
  ["no members", "committed cfgj=zero", "<empty majority quorum>∞\n"],
  ["the lower index of two halves", "committed cfg=(1) cfgj=(2) idx=(6,3)", "      idx\nx>      6    (id=1)\n>       3    (id=2)\n3\n"],
  ["too few values", "committed cfg=(2,1) idx=(_)", "error: mismatched input (explicit or _) for voters map[1:{} 2:{}]: [0]\n"],
  ["a vote that is won", "vote cfg=(1,2,3) votes=(y,_,y)", "VoteWon\n"],
  ["a vote that is lost in one half", "vote cfg=(1) cfgj=(2,3) votes=(y,n,_)", "VoteLost\n"],
  ["a vote that is open in one half", "vote cfg=(1) cfgj=(2,3) votes=(y,y,_)", "VotePending\n"],
  ["too many votes", "vote cfg=(1) votes=(y,n)", "error: mismatched input (explicit or _) for voters map[1:{}]: [2 1]\n"],
])("%s", (_, directive, expected) => {
  expect(runScript("quorum", `${directive}\n----\n${expected}`).failure?.description).toBeUndefined();
});
