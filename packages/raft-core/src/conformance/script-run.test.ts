import { describe, expect, test } from "vitest";
import { scriptKindOf } from "./script-kind.ts";
import { runScript } from "./script-run.ts";

function script(...lines: readonly string[]): string {
  return lines.join("\n");
}

describe("a script", () => {
  test("passes if every directive gives what is expected", () => {
    const text = script("log-level none", "----", "ok", "", "add-nodes 1 voters=(1) index=3", "----", "ok", "", "raft-state", "----", "ok");
    expect(runScript("interaction", text)).toEqual({ passed: 3, failure: null });
  });

  test("ends at the first difference, which it shows", () => {
    const text = script("log-level none", "----", "ok", "", "fly", "----", "high", "", "log-level info", "----", "ok");
    expect(runScript("interaction", text)).toEqual({
      passed: 1,
      failure: { line: 5, description: "fly\n@@ -1,1 +1,1 @@\n-high\n+unknown command\n" },
    });
  });

  test("fails where a command breaks", () => {
    const { failure } = runScript("interaction", script("campaign 3", "----", "ok"));
    expect(failure?.line).toBe(1);
    expect(failure?.description).toContain("There is no member 3");
  });

  test("fails if it can't be read", () => {
    expect(runScript("quorum", "vote x=(").failure).toEqual({ line: 1, description: "A list has no end: =(\n" });
  });
});

test("a script that was recorded up to release 3.6 has the change texts of then", () => {
  const quiet = ["log-level none", "add-nodes 1 voters=(1) index=3", "campaign 1", "stabilize", "log-level info"];
  const setUp = quiet.map((directive) => `${directive}\n----\nok\n\n`).join("");
  const texts = ["{ConfChangeTransitionAuto [] []}", "transition:ConfChangeTransitionAuto"];
  for (const text of texts) {
    const line = `INFO 1 ignoring conf change ${text} at config voters=(1): not in joint state; refusing empty conf change`;
    expect(runScript("interaction", `${setUp}propose-conf-change 1\n----\n${line}\n`).failure).toBeNull();
  }
});

test.each([
  ["data/quorum/votes.txt", "quorum"],
  ["data/confchange/leave.txt", "confchange"],
  ["data/interaction/campaign.txt", "interaction"],
  ["campaign.txt", "interaction"],
])("%s is a script of %s", (path, kind) => {
  expect(scriptKindOf(path)).toBe(kind);
});
