/** Bars beside each other for each label, one for each series. */
export interface BarChart {
  readonly title: string;
  /** Of the values, for instance `requests/s`. */
  readonly unit: string;
  readonly series: readonly { readonly name: string; readonly colour: string }[];
  /** A value for each series, null where there is none. */
  readonly groups: readonly { readonly label: string; readonly values: readonly (number | null)[] }[];
}

const width = 860;
const labelWidth = 190;
const valueWidth = 90;
const barHeight = 14;
const groupGap = 10;
const top = 56;
const bottom = 8;

/**
 * A chart of horizontal bars as SVG; the scale is logarithmic, because the values of one chart differ by orders of magnitude. Throws RangeError if
 * there are no values above 0.
 */
export function barChart(chart: BarChart): string {
  const { title, unit, series, groups } = chart;
  const scale = logarithmicScale(groups.flatMap((group) => group.values.filter((value) => value !== null)));
  const groupHeight = series.length * barHeight + groupGap;
  const height = top + groups.length * groupHeight + bottom;
  const lines = groups.flatMap(({ label, values }, place) => {
    const y = top + place * groupHeight;
    const middle = y + (series.length * barHeight) / 2 + 4;
    const bars = values.map((value, which) =>
      value === null ? "" : bar(y + which * barHeight, scale(value), value, series[which]?.colour ?? ""),
    );
    return [text(labelWidth - 8, middle, label, "end"), ...bars];
  });
  const legend = series.flatMap(({ name, colour }, place) => [
    `<rect x="${labelWidth + place * 110}" y="32" width="10" height="10" fill="${colour}"/>`,
    text(labelWidth + place * 110 + 15, 41, name, "start"),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(labelWidth, 20, `${title} (${unit}, logarithmic)`, "start"),
    ...legend,
    ...lines.filter((line) => line !== ""),
    "</svg>",
    "",
  ].join("\n");
}

/** Length of the bar of a value. */
function logarithmicScale(values: readonly number[]): (value: number) => number {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) throw new RangeError("A chart needs a value above 0");
  const low = Math.floor(Math.log10(Math.min(...positive)) - 0.3);
  const high = Math.ceil(Math.log10(Math.max(...positive)) + 0.01);
  return (value) => (value > 0 ? ((Math.log10(value) - low) / (high - low)) * (width - labelWidth - valueWidth) : 0);
}

function bar(y: number, length: number, value: number, colour: string): string {
  const digits = value >= 100 ? 0 : value >= 1 ? 1 : 3;
  const label = value.toLocaleString("en-US", { maximumFractionDigits: digits });
  return `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight - 2}" fill="${colour}"/>${text(labelWidth + length + 5, y + barHeight - 4, label, "start")}`;
}

function text(x: number, y: number, content: string, anchor: "start" | "end"): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}">${escaped}</text>`;
}
