/** A table as etcdctl draws it: ASCII, the head in capitals and in the middle, cells to the right. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const titles = head.map((title) => title.toUpperCase());
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const rule = `+${widths.map((width) => "-".repeat(width + 2)).join("+")}+\n`;
  const line = (cells: readonly string[], place: (cell: string, width: number) => string): string =>
    `|${cells.map((cell, column) => ` ${place(cell, widths[column] ?? 0)} `).join("|")}|\n`;
  const body = rows.map((row) => line(row, (cell, width) => cell.padStart(width)));
  return [rule, line(titles, centered), rule, ...body, rule].join("");
}

function centered(cell: string, width: number): string {
  const left = Math.floor((width - cell.length) / 2);
  return `${" ".repeat(left)}${cell}`.padEnd(width);
}
