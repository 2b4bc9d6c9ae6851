import { assert } from "./assertion.ts";
import type { NodeRef } from "./node-arena.ts";
import { SearchKey } from "./search-key.ts";
import type { VersionRef } from "./version-store.ts";
import type { VersionTable } from "./version-table.ts";

/** Walks everything and checks order, towers, index, history, events and accounting. @throws Error if something does not hold. */
export function verifyTable(table: VersionTable): void {
  const { versions, list, index } = table;
  list.verify();
  versions.nodes.towers.verify();
  versions.nodes.records.verify();
  versions.history.cells.verify();
  versions.values.cells.verify();
  index.verify();
  assert(index.count === list.count, "The index has as many nodes as the list");
  const count = new VersionCount();
  let liveCount = 0;
  for (let node = list.first(); node !== 0; node = list.next(node)) {
    verifyNode(table, node);
    if (list.isAlive(node)) liveCount++;
    for (let version = node; version !== 0; version = versions.older(version)) count.add(table, version);
  }
  assert(liveCount === list.liveCount, "The keys that are there are counted");
  count.verify(table);
  verifyEvents(table, count.eventCount);
}

function verifyNode(table: VersionTable, node: NodeRef): void {
  const { nodes } = table.versions;
  assert(table.list.isAlive(node) !== table.versions.isTombstone(node), "A key is alive until it is deleted");
  const key = new SearchKey();
  nodes.loadKey(node, key);
  assert(table.index.find(nodes.hashOf(node, table.keyHash), key) === node, "The index finds each node of the list");
}

/** What the versions add up to. */
class VersionCount {
  eventCount = 0;
  #older = 0;
  #values = 0;
  #payloadBytes = 0;
  /** Of versions that newer ones replaced since the compact revision, and of tombstones since then. */
  #freeableBytes = 0;

  add(table: VersionTable, version: VersionRef): void {
    const { versions, events } = table;
    this.#verifyChain(table, version);
    const isTombstone = versions.isTombstone(version);
    if (version < 0) this.#older++;
    if (versions.valueCell(version) !== 0) this.#values++;
    assert((versions.valueCell(version) === 0) === (versions.valueLength(version) === 0), "Only an empty value has no cell");
    const modRevision = versions.modRevision(version);
    assert(modRevision <= table.revision, "No version is newer than the table");
    if (modRevision >= events.firstRevision) {
      this.eventCount++;
      assert(events.at(versions.event(version)) === version, "The event of a version leads to it");
    }
    if (!table.isRetained(version)) {
      assert(table.compactRevision > events.firstRevision, "Nothing that was given up is left when all is reclaimed");
      return;
    }
    const bytes = versions.payloadBytes(version);
    this.#payloadBytes += bytes;
    if (isTombstone || version < 0) this.#freeableBytes += bytes;
  }

  verify(table: VersionTable): void {
    const { versions, events, list } = table;
    assert(this.#payloadBytes === table.payloadBytes, "The payload of all retained versions is accounted");
    const given = events.freeableBytes(Math.max(table.compactRevision, 1));
    assert(events.freeableBytes(table.revision) - given === this.#freeableBytes, "What a compaction frees is accounted");
    assert(versions.history.cells.liveCells === this.#older, "Each history cell is a version of a key");
    assert(versions.values.cells.liveCells === this.#values, "Each value cell belongs to a version");
    const nodeCount = list.count + 1;
    assert(versions.nodes.towers.liveCells === nodeCount, "Each tower is that of a node or of the list's head");
    assert(versions.nodes.records.liveCells === nodeCount, "Each tower has its record");
  }

  #verifyChain(table: VersionTable, version: VersionRef): void {
    const { versions } = table;
    const older = versions.older(version);
    const createRevision = versions.createRevision(version);
    assert(createRevision <= versions.modRevision(version), "A record is created before it is modified");
    assert(!versions.isTombstone(version) || versions.valueLength(version) === 0, "A tombstone has no value");
    if (older === 0) return;
    assert(versions.newer(older) === version, "Versions of a key are chained both ways");
    assert(versions.nodeOf(older) === versions.nodeOf(version), "A chain has the versions of one key");
    assert(versions.modRevision(older) <= versions.modRevision(version), "Older versions have older revisions");
    const isContinued = versions.version(version) > 1;
    assert(!isContinued || versions.createRevision(older) === createRevision, "A key keeps its create revision until it is deleted");
    if (isContinued) assert(versions.version(older) === versions.version(version) - 1, "Each put adds 1 to the version");
    else assert(versions.isTombstone(older) !== versions.isTombstone(version), "A key is created once, and deleted once");
  }
}

function verifyEvents(table: VersionTable, versionCount: number): void {
  const { versions, events } = table;
  let eventCount = 0;
  let revision = events.firstRevision;
  events.verify((version, number) => {
    eventCount++;
    assert(((versions.event(version) - number) | 0) === 0, "A version knows its event");
    assert(versions.modRevision(version) >= revision, "Events are in the order of their revisions");
    revision = versions.modRevision(version);
    assert(events.count(events.start(revision), number) < 2 ** 31, "An event does not lie before its revision begins");
  });
  assert(eventCount === versionCount, "Each version since the first revision of the log has one event");
}
