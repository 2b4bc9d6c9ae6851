import { describe, expect, test } from "vitest";
import { compareFreshPair } from "../support/differential/fresh-pair.ts";
import { etcdProgram } from "../support/etcd-process.ts";

if (etcdProgram === null) console.warn("etcd is not on the PATH (Debian package etcd-server): answers are not compared with etcd's");

/** `DIFFERENTIAL_SEED=<seed> npx vitest run --project long tests/interop/etcd-differential.long.test.ts` runs one again, or a new one. */
const seeds = process.env["DIFFERENTIAL_SEED"]?.split(",") ?? ["a", "b", "c", "d"];

describe.skipIf(etcdProgram === null).each(seeds)("seed %s: as etcd does", (seed) => {
  test("a member answers 5,000 random requests", async () => {
    expect(await compareFreshPair({ seed, count: 5_000, size: 1 })).toBe(null);
  });

  // It has other members than one etcd, and can't give away what it does not have.
  test("a follower answers 1,000 random requests", async () => {
    const leaves = new Set(["memberList", "moveLeader"]);
    expect(await compareFreshPair({ seed: `${seed}, follower`, count: 1_000, size: 3, leaves })).toBe(null);
  });
});
