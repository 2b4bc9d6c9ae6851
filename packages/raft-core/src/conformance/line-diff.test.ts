import { expect, test } from "vitest";
import { unifiedDiff } from "./line-diff.ts";

function text(...lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

test("equal texts have no differences", () => {
  expect(unifiedDiff(text("a", "b"), text("a", "b"))).toBe("");
});

test("a changed line stands between the lines around it", () => {
  const expected = text("1", "2", "3", "4", "5", "6", "7", "8", "9");
  expect(unifiedDiff(expected, expected.replace("5", "five"))).toBe(
    text("@@ -2,7 +2,7 @@", " 2", " 3", " 4", "-5", "+five", " 6", " 7", " 8"),
  );
});

test("differences far from each other have a hunk each", () => {
  const middle = Array.from({ length: 9 }, (_, place) => `${place}`);
  const diff = unifiedDiff(text("first", ...middle), text(...middle, "last"));
  expect(diff).toBe(text("@@ -1,4 +1,3 @@", "-first", " 0", " 1", " 2", "@@ -8,3 +7,4 @@", " 6", " 7", " 8", "+last"));
});

test("nothing is expected, or nothing came", () => {
  expect(unifiedDiff("", text("a"))).toBe(text("@@ -0,0 +1,1 @@", "+a"));
  expect(unifiedDiff(text("a"), "")).toBe(text("@@ -1,1 +0,0 @@", "-a"));
});
