import { expect, test } from "vitest";
import { scriptsIn, testDataDirectory } from "./test-data.ts";

test("scripts lie beside the project, or where the command says, seen from where it was given", () => {
  expect(testDataDirectory("/srv/raftkv", {})).toBe("/srv/shared/testdata/etcd-raft");
  expect(testDataDirectory("/srv/raftkv", { ETCD_RAFT_TESTDATA: "/data" })).toBe("/data");
  expect(testDataDirectory("/srv/raftkv", { ETCD_RAFT_TESTDATA: "data", INIT_CWD: "/srv" })).toBe("/srv/data");
});

test("a folder that is not there has no scripts", () => {
  expect(scriptsIn("/srv/raftkv/nowhere")).toBeNull();
});
