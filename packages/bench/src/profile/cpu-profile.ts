/** What of a `.cpuprofile` (DevTools protocol, Profiler.Profile; written by `node --cpu-prof`) is used here. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds of the monotonic clock that `process.hrtime` shows, too. */
  readonly startTime: number;
  /** Id of the node that ran, at each sample. */
  readonly samples: readonly number[];
  /** Microseconds since the sample before; since `startTime` for the first. */
  readonly timeDeltas: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
}

export interface CallFrame {
  readonly functionName: string;
  /** `file:///…`, `node:…`, or empty for what is no JavaScript. */
  readonly url: string;
  /** From 0; -1: none. */
  readonly lineNumber: number;
}

/** Throws RangeError with a sentence if it is none. */
export function parseCpuProfile(text: string): CpuProfile {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new RangeError("The profile is no object");
  const { nodes, startTime, samples, timeDeltas } = value;
  if (!Array.isArray(nodes) || !nodes.every(isNode)) throw new RangeError("The profile has no nodes with call frames");
  if (typeof startTime !== "number" || !isNumbers(samples) || !isNumbers(timeDeltas))
    throw new RangeError("The profile has no samples with times");
  if (samples.length !== timeDeltas.length)
    throw new RangeError(`The profile has ${samples.length} samples, but ${timeDeltas.length} times`);
  return { nodes, startTime, samples, timeDeltas };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

function isNode(value: unknown): value is ProfileNode {
  if (!isRecord(value) || typeof value["id"] !== "number" || !isRecord(value["callFrame"])) return false;
  const { functionName, url, lineNumber } = value["callFrame"];
  return typeof functionName === "string" && typeof url === "string" && typeof lineNumber === "number";
}
