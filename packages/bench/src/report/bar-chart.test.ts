import { expect, test } from "vitest";
import { barChart } from "./bar-chart.ts";

const series = [
  { name: "one", colour: "#111111" },
  { name: "other", colour: "#222222" },
];

test("a value that is ten times another has a bar that is longer by a decade", () => {
  const svg = barChart({
    title: "Rates & more",
    unit: "requests/s",
    series,
    groups: [
      { label: "a", values: [10, 100] },
      { label: "b", values: [1000, null] },
    ],
  });
  expect(svg).toContain("Rates &amp; more (requests/s, logarithmic)");
  const lengths = [...svg.matchAll(/<rect x="190" y="\d+" width="([\d.]+)" height="12"/g)].map(([, length]) => Number(length));
  expect(lengths).toHaveLength(3);
  const [first = 0, second = 0, third = 0] = lengths;
  expect(second - first).toBeCloseTo(third - second, 0);
  expect(svg).toContain(">1,000</text>");
});

test("a chart without values is an error", () => {
  expect(() => barChart({ title: "none", unit: "ms", series, groups: [{ label: "a", values: [null, 0] }] })).toThrow(RangeError);
});
