import type { ClassCounts } from "./class-counter.ts";
import type { MemberFigures } from "./member-figures.ts";

export type Labels = Readonly<Record<string, string>>;

export interface MetricSample {
  readonly labels: Labels;
  readonly value: number;
}

/** Something that a member shows under a name, read when it is asked for. */
export interface MetricDefinition {
  readonly name: string;
  /** A counter only grows while the process lives. What is a gauge in etcd, though it only grows, is one here. */
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly samplesOf: (figures: MemberFigures) => readonly MetricSample[];
}

/** The observations with one set of labels. */
export interface HistogramSeries {
  readonly labels: Labels;
  readonly classes: ClassCounts;
}

/** Observations that a member shows under a name, in classes. */
export interface HistogramDefinition {
  readonly name: string;
  readonly help: string;
  readonly seriesOf: (figures: MemberFigures) => readonly HistogramSeries[];
}

interface NumberDefinition extends Omit<MetricDefinition, "samplesOf"> {
  readonly valueOf: (figures: MemberFigures) => number;
}

const noLabels: Labels = {};

/** A metric of one number, without labels. */
export function number({ name, type, help, valueOf }: NumberDefinition): MetricDefinition {
  return { name, type, help, samplesOf: (figures) => [{ labels: noLabels, value: valueOf(figures) }] };
}

interface ClassesDefinition extends Omit<HistogramDefinition, "seriesOf"> {
  readonly classesOf: (figures: MemberFigures) => ClassCounts;
}

/** A histogram without labels. */
export function classes({ name, help, classesOf }: ClassesDefinition): HistogramDefinition {
  return { name, help, seriesOf: (figures) => [{ labels: noLabels, classes: classesOf(figures) }] };
}
