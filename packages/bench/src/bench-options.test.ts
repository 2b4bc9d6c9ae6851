import { expect, test } from "vitest";
import { parseBenchOptions, usage } from "./bench-options.ts";
import { UsageError } from "./option-values.ts";

test("without flags everything is measured under every load", () => {
  expect(parseBenchOptions([])).toMatchObject({
    workloads: ["put", "txn", "range", "serializable", "lease"],
    watchScenarios: ["watch-one", "watch-many"],
    dataParts: ["data", "growth"],
    shapes: [
      { connections: 1, inFlight: 1 },
      { connections: 10, inFlight: 10 },
      { connections: 10, inFlight: 100 },
    ],
    rounds: 3,
    roundMs: 3000,
    warmUpMs: 1000,
    keyCount: 100_000,
    valueBytes: 256,
    seed: 1,
    withEtcd: true,
    profile: false,
    keep: false,
    jsonFile: null,
    reportFolder: null,
  });
});

test("every flag does what it says", () => {
  const args =
    "--only range,put,watch-one,growth --load 2x3,10x100 --rounds 5 --seconds 0.5 --warm-up 0 --keys 10 --value-bytes 8 --seed 9 --no-etcd --directory /d --keep --json f --report d";
  expect(parseBenchOptions(args.split(" "))).toEqual({
    workloads: ["range", "put"],
    watchScenarios: ["watch-one"],
    dataParts: ["growth"],
    shapes: [
      { connections: 2, inFlight: 3 },
      { connections: 10, inFlight: 100 },
    ],
    rounds: 5,
    roundMs: 500,
    warmUpMs: 0,
    keyCount: 10,
    valueBytes: 8,
    seed: 9,
    withEtcd: false,
    profile: false,
    directory: "/d",
    keep: true,
    jsonFile: "f",
    reportFolder: "d",
  });
});

test("a profile is of puts under the heaviest load, without etcd", () => {
  expect(parseBenchOptions(["--profile"])).toMatchObject({
    workloads: ["put"],
    shapes: [{ connections: 10, inFlight: 100 }],
    withEtcd: false,
    profile: true,
  });
  expect(parseBenchOptions(["--profile", "--only", "range", "--load", "1x1"])).toMatchObject({
    workloads: ["range"],
    shapes: [{ connections: 1, inFlight: 1 }],
  });
});

test("help names every flag", () => {
  expect(parseBenchOptions(["--help"])).toBeNull();
  const flags = [
    "only",
    "load",
    "rounds",
    "seconds",
    "warm-up",
    "keys",
    "value-bytes",
    "seed",
    "no-etcd",
    "profile",
    "directory",
    "keep",
    "json",
    "report",
  ];
  for (const flag of flags) expect(usage).toContain(`--${flag} `);
});

test.each([
  [["--only", "get"], 'Part "get" is none of put, txn, range, serializable, lease, watch-one, watch-many, data, growth'],
  [["--load", "10"], 'Load "10" is not CONNECTIONSxREQUESTS with 1 to 1000 and 1 to 1000'],
  [["--load", "1x1001"], 'Load "1x1001" is not CONNECTIONSxREQUESTS with 1 to 1000 and 1 to 1000'],
  [["--rounds", "0"], '--rounds "0" is not a whole number from 1 to 1000'],
  [["--seconds", "0.01"], '--seconds "0.01" is not a number from 0.1 to 3600'],
  [["--keys", "1e3"], '--keys "1e3" is not a whole number from 1 to 10000000'],
  [["--keys", "9999"], "watch-many watches 10000 keys, more than the 9999 of --keys: leave it out by --only"],
  [["--seed", "-1"], /--seed/],
  [["--fast"], /--fast/],
  [["put"], /put/],
])("%j is refused with a sentence that names it", (args, sentence) => {
  expect(() => parseBenchOptions(args)).toThrow(UsageError);
  expect(() => parseBenchOptions(args)).toThrow(sentence);
});
