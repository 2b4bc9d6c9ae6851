import { describe, expect, test } from "vitest";
import { parseInitialCluster } from "../config/initial-cluster.ts";
import { foundCluster, foundingMemberId, idText, nodeIdOf } from "./identity.ts";

describe("identities", () => {
  test("are those that etcd computes", () => {
    expect(idText(foundingMemberId(["http://localhost:2380"], "etcd-cluster"))).toBe("8e9e05c52164694d");
    const single = foundCluster(parseInitialCluster("default=http://localhost:2380", "test"), "etcd-cluster");
    expect(idText(single.clusterId)).toBe("cdf818194e3a8c32");
    expect(idText(foundingMemberId(["https://localhost:20001"], "new"))).toBe("00a8f3458387986d");
  });

  test("do not depend on the order in which members and URLs are given", () => {
    const one = foundCluster(parseInitialCluster("a=http://127.0.0.1:1,b=http://127.0.0.1:2,a=http://127.0.0.1:3", "test"), "t");
    const other = foundCluster(parseInitialCluster("b=http://127.0.0.1:2,a=http://127.0.0.1:3,a=http://127.0.0.1:1", "test"), "t");
    expect(other).toEqual(one);
  });

  test("of clusters with another token differ", () => {
    const members = parseInitialCluster("a=http://127.0.0.1:1", "test");
    expect(foundCluster(members, "x").clusterId).not.toBe(foundCluster(members, "y").clusterId);
  });

  test("fit into what the core counts with", () => {
    expect(nodeIdOf(0xffff_ffff_ffff_ffffn)).toBe(Number.MAX_SAFE_INTEGER);
    expect(nodeIdOf(5n)).toBe(5);
  });
});
