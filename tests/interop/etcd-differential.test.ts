import { expect, test } from "vitest";
import { compareFreshPair } from "../support/differential/fresh-pair.ts";
import { etcdProgram } from "../support/etcd-process.ts";

if (etcdProgram === null) console.warn("etcd is not on the PATH (Debian package etcd-server): answers are not compared with etcd's");

test.skipIf(etcdProgram === null)("a member answers 1,500 random requests as etcd does", async () => {
  expect(await compareFreshPair({ seed: "short", count: 1_500, size: 1 })).toBe(null);
});
