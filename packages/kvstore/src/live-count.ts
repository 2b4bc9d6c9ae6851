import { type NodeSpan, now, type VersionTable } from "./version-table.ts";

/**
 * How many keys of a span were there at a revision. For `now` the list knows. For another one it either looks at each key, or goes on
 * from now and takes back what changed since, whichever is less.
 */
export function countAt(table: VersionTable, span: NodeSpan, revision: number): number {
  if (revision === now) return span.liveCount;
  const { events } = table;
  const start = events.start(revision + 1);
  const changeCount = events.count(start, events.start(table.revision + 1));
  return changeCount < span.liveCount ? countBack(table, span, revision, { start, changeCount }) : countEach(table, span, revision);
}

function countEach(table: VersionTable, span: NodeSpan, revision: number): number {
  let count = 0;
  for (let node = span.first; node !== span.stop; node = table.next(node)) {
    if (table.liveAt(node, revision) !== 0) count++;
  }
  return count;
}

/** Of each key only the first change since the revision matters: it replaced what was there then. */
function countBack(
  table: VersionTable,
  span: NodeSpan,
  revision: number,
  changes: { readonly start: number; readonly changeCount: number },
): number {
  const { versions, events, list } = table;
  const { nodes } = versions;
  let count = span.liveCount;
  for (let i = 0; i < changes.changeCount; i++) {
    const version = events.at(changes.start + i);
    const replaced = versions.older(version);
    if (replaced !== 0 && versions.modRevision(replaced) > revision) continue;
    const node = versions.nodeOf(version);
    if (nodes.compareKeys(node, span.first) < 0) continue;
    if (span.stop !== 0 && nodes.compareKeys(node, span.stop) >= 0) continue;
    if (replaced !== 0 && !versions.isTombstone(replaced)) count++;
    if (list.isAlive(node)) count--;
  }
  return count;
}
