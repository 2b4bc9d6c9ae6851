import { expect, test } from "vitest";
import { UsageError } from "../option-values.ts";
import { parseRpcBenchOptions, rpcPartNames } from "./rpc-options.ts";

test("without flags every part is measured, under its own loads", () => {
  expect(parseRpcBenchOptions([])).toEqual({
    parts: rpcPartNames,
    shapes: null,
    rounds: 3,
    turnMs: 400,
    ownNodeFlags: [],
    alone: false,
    jsonFile: null,
    check: false,
  });
});

test("parts, loads and times can be chosen", () => {
  const flags = ["--only", "tls,client", "--load", "1x1,10x100", "--rounds", "5", "--seconds", "2", "--json", "out.json", "--check"];
  expect(parseRpcBenchOptions([...flags, "--alone", "--node-flags=--cpu-prof --no-opt"])).toEqual({
    parts: ["tls", "client"],
    shapes: [
      { connections: 1, inFlight: 1 },
      { connections: 10, inFlight: 100 },
    ],
    rounds: 5,
    turnMs: 2000,
    ownNodeFlags: ["--cpu-prof", "--no-opt"],
    alone: true,
    jsonFile: "out.json",
    check: true,
  });
});

test("help is asked for, or a flag is wrong", () => {
  expect(parseRpcBenchOptions(["--help"])).toBe(null);
  for (const flags of [["--only", "udp"], ["--load", "10"], ["--rounds", "0"], ["--seconds", "0.01"], ["--what"]]) {
    expect(() => parseRpcBenchOptions(flags)).toThrow(UsageError);
  }
});
