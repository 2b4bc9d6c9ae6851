export type Alignment = "left" | "right";

export interface Column {
  readonly title: string;
  readonly align: Alignment;
}

const gap = "  ";

/** Lines of text in columns, the titles first. A row that is shorter than the columns ends early. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] {
  const titles = columns.map(({ title }) => title);
  const widths = columns.map((_, place) => Math.max(...[titles, ...rows].map((row) => (row[place] ?? "").length)));
  return [titles, ...rows].map((row) =>
    row
      .map((text, place) => (columns[place]?.align === "right" ? text.padStart(widths[place] ?? 0) : text.padEnd(widths[place] ?? 0)))
      .join(gap)
      .trimEnd(),
  );
}
