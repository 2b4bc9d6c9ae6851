import { beforeEach, describe, expect, test } from "vitest";
import type { NodeRef } from "./node-arena.ts";
import { SearchKey } from "./search-key.ts";
import { VersionStore } from "./version-store.ts";

let versions: VersionStore;
let node: NodeRef;
beforeEach(() => {
  versions = new VersionStore();
  const key = new SearchKey();
  key.load(new Uint8Array([1, 2, 3]));
  node = versions.nodes.create(key, 1);
  versions.nodes.setOlder(node, 0);
});

function write(revision: number, version: number, value: Uint8Array, lease: readonly [high: number, low: number] = [0, 0]): void {
  const { nodes, values } = versions;
  nodes.setRevisions(node, version === 0 ? 0 : 2, revision, version);
  nodes.setLease(node, ...lease);
  nodes.setValue(node, values.store(value), value.length);
  nodes.setEvent(node, revision * 10);
}

function chain(): number[] {
  const revisions: number[] = [];
  for (let version: number = node; version !== 0; version = versions.older(version)) revisions.push(versions.modRevision(version));
  return revisions;
}

describe("a version that is replaced", () => {
  test("keeps all its fields, and its value where it was", () => {
    write(5, 3, new Uint8Array([9, 8]), [-1, -2]);
    const cell = versions.valueCell(node);
    const retired = versions.retire(node);
    write(6, 4, new Uint8Array(0));
    expect([retired < 0, versions.nodeOf(retired), versions.newer(retired), versions.older(node)]).toEqual([true, node, node, retired]);
    expect([versions.createRevision(retired), versions.modRevision(retired), versions.version(retired)]).toEqual([2, 5, 3]);
    expect([versions.leaseHigh(retired), versions.leaseLow(retired), versions.event(retired)]).toEqual([-1, -2, 50]);
    expect([versions.valueCell(retired), versions.valueView(retired)]).toEqual([cell, new Uint8Array([9, 8])]);
    expect([versions.valueView(node).length, versions.event(node), versions.newer(node)]).toEqual([0, 60, 0]);
  });

  test("has a smaller cell if it has no lease", () => {
    const { cells } = versions.history;
    write(2, 1, new Uint8Array(0));
    expect([versions.leaseHigh(versions.retire(node)), cells.liveBytes]).toEqual([0, 48]);
    write(3, 2, new Uint8Array(0), [0, 1]);
    expect([versions.leaseLow(versions.retire(node)), cells.liveBytes]).toEqual([1, 48 + 56]);
  });

  test("is found by the revisions at which it was the newest", () => {
    for (const [place, revision] of [2, 4, 7].entries()) {
      if (place > 0) versions.retire(node);
      write(revision, place + 1, new Uint8Array(0));
    }
    const found = [1, 2, 3, 4, 6, 7, 9].map((revision) => versions.newestAt(node, revision));
    expect(found.map((version) => (version === 0 ? 0 : versions.modRevision(version)))).toEqual([0, 2, 2, 4, 4, 7, 7]);
  });
});

describe("the oldest version", () => {
  test("is freed with its value, one after the other", () => {
    for (const revision of [2, 3, 4]) {
      if (revision > 2) versions.retire(node);
      write(revision, revision - 1, new Uint8Array([revision]));
    }
    expect(chain()).toEqual([4, 3, 2]);
    versions.freeOldest(versions.older(versions.older(node)));
    expect([chain(), versions.values.cells.liveCells]).toEqual([[4, 3], 2]);
    versions.freeOldest(versions.older(node));
    expect([chain(), versions.values.cells.liveCells, versions.history.cells.liveCells]).toEqual([[4], 1, 0]);
    versions.freeNode(node);
    expect(versions.usedBytes).toBe(0);
  });
});

test("versions that are added from the newest on are chained both ways", () => {
  write(9, 3, new Uint8Array([1]));
  let newer: number = node;
  for (const [revision, version] of [
    [7, 2],
    [4, 1],
  ] as const) {
    const fields = { createRevision: 4, modRevision: revision, version, leaseHigh: 0, leaseLow: version };
    const older = versions.appendOlder(newer, new Uint8Array([version]), fields);
    versions.setEvent(older, version);
    expect([versions.newer(older), versions.event(older), versions.leaseLow(older)]).toEqual([newer, version, version]);
    newer = older;
  }
  expect(chain()).toEqual([9, 7, 4]);
  expect(versions.payloadBytes(newer)).toBe(3 + 1 + 64);
});
