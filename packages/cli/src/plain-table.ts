import Table from "cli-table3";

/** A table without colours, the same on a terminal and in a pipe. Columns named in `numbers` stand to the right. */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[], numbers: readonly string[] = []): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((name) => (numbers.includes(name) ? "right" : "left")),
    style: { head: [], border: [] },
  });
  for (const row of rows) table.push([...row]);
  return `${table.toString()}\n`;
}
