import { describe, expect, test } from "vitest";
import { WriteHistory } from "./write-history.ts";

const pair = (key: string, value: string) => ({ key, value, modRevision: 0 });

function written(...outcomes: readonly ("acknowledged" | "failed" | "unknown")[]): WriteHistory {
  const history = new WriteHistory();
  for (const [at, outcome] of outcomes.entries()) history.end("a", history.begin("a"), outcome, at + 2);
  return history;
}

describe("the history checker", () => {
  test("accepts what a correct store does", () => {
    const history = written("acknowledged", "unknown");
    history.beginRead("a")("a#0");
    history.beginRead("a")("a#1");
    expect(history.violations([pair("a", "a#1")])).toEqual([]);
    expect(written("acknowledged", "unknown").violations([pair("a", "a#0")])).toEqual([]);
  });

  test.each<[string, WriteHistory, ReturnType<typeof pair>[], RegExp]>([
    ["a lost write", written("acknowledged", "acknowledged"), [pair("a", "a#0")], /write 1 was acknowledged/],
    ["a lost key", written("acknowledged"), [], /holds nothing/],
    ["an invented value", written("acknowledged"), [pair("a", "a#7")], /which nobody wrote/],
    ["an invented key", written("acknowledged"), [pair("a", "a#0"), pair("b", "b#0")], /nobody wrote this key/],
    ["a write that was refused and done", written("failed"), [pair("a", "a#0")], /reported as not done/],
  ])("finds %s", (_what, history, finalState, message) => {
    expect(history.violations(finalState).join("\n")).toMatch(message);
  });

  test("finds reads of the past and of the future", () => {
    const history = written("acknowledged", "acknowledged");
    history.beginRead("a")("a#0");
    history.beginRead("a")("a#5");
    expect(history.violations([pair("a", "a#1")]).join("\n")).toMatch(/write 1 was acknowledged before it[\s\S]*nobody had written/);
  });

  test("finds a read that goes back behind another read", () => {
    const history = written("acknowledged", "unknown");
    history.beginRead("a")("a#1");
    history.beginRead("a")("a#0");
    expect(history.violations([pair("a", "a#1")])).toHaveLength(1);
  });

  test("finds a revision that two writes got, and one that goes back", () => {
    const history = new WriteHistory();
    history.end("a", history.begin("a"), "acknowledged", 5);
    history.end("b", history.begin("b"), "acknowledged", 5);
    history.end("a", history.begin("a"), "acknowledged", 4);
    expect(history.violations([pair("a", "a#1"), pair("b", "b#0")])).toHaveLength(2);
  });
});
