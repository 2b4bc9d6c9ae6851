import type { LogIndex, NodeId } from "../../types.ts";

/**
 * Who has acknowledged what, ascending by id. The bars order the indexes: the longest has most others below it, equal ones are
 * equally long. Without members the picture is no line of its own.
 *
 *           idx
 *     x>      7    (id=1)
 *     ?       0    (id=2)
 */
export function quorumPicture(ids: readonly NodeId[], acknowledged: ReadonlyMap<NodeId, LogIndex>): string {
  if (ids.length === 0) return "<empty majority quorum>";
  const bars = barLengths(ids, acknowledged);
  const lines = [...ids]
    .sort((a, b) => a - b)
    .map((id) => {
      const index = acknowledged.get(id);
      const length = bars.get(id) ?? 0;
      const bar = index === undefined ? "?".padEnd(ids.length + 1) : `${"x".repeat(length)}>`.padEnd(ids.length + 1);
      return `${bar} ${String(index ?? 0).padStart(5)}    (id=${id.toString(16)})\n`;
    });
  return `${" ".repeat(ids.length)}    idx\n${lines.join("")}`;
}

function barLengths(ids: readonly NodeId[], acknowledged: ReadonlyMap<NodeId, LogIndex>): ReadonlyMap<NodeId, number> {
  const indexOf = (id: NodeId): LogIndex => acknowledged.get(id) ?? 0;
  const lengths = new Map<NodeId, number>();
  let length = 0;
  let previous = 0;
  [...ids]
    .sort((a, b) => indexOf(a) - indexOf(b) || a - b)
    .forEach((id, place) => {
      if (place > 0 && indexOf(id) > previous) length = place;
      previous = indexOf(id);
      lengths.set(id, length);
    });
  return lengths;
}
