import type { CallFrame, CpuProfile } from "./cpu-profile.ts";

/** Microseconds on the clock of the profile. */
export interface TimeWindow {
  readonly startUs: number;
  readonly endUs: number;
}

/** A function and the time in which it itself ran, without what it called. */
export interface FunctionTime {
  readonly name: string;
  /** A package of ours, an npm package, `node`, or `native`: the engine, system calls and the garbage collector. */
  readonly package: string;
  /** `raft.ts:120`, or empty. */
  readonly place: string;
  readonly selfUs: number;
}

export interface SelfTimes {
  /** Of the samples in the window. */
  readonly totalUs: number;
  readonly idleUs: number;
  /** Longest first, without idleness. */
  readonly functions: readonly FunctionTime[];
  /** Sums of `functions`, longest first. */
  readonly packages: readonly { readonly name: string; readonly selfUs: number }[];
}

const idleName = "(idle)";

/** Sums up the samples that lie in the window. A sample counts from its moment until the next. */
export function analyseSelfTimes(profile: CpuProfile, window: TimeWindow): SelfTimes {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, { frame: CallFrame; selfUs: number }>();
  let atUs = profile.startTime;
  let idleUs = 0;
  let totalUs = 0;
  for (const [place, id] of profile.samples.entries()) {
    atUs += profile.timeDeltas[place] ?? 0;
    const lastsUs = profile.timeDeltas[place + 1] ?? 0;
    const frame = frames.get(id);
    if (frame === undefined || atUs < window.startUs || atUs >= window.endUs) continue;
    totalUs += lastsUs;
    if (frame.functionName === idleName) {
      idleUs += lastsUs;
      continue;
    }
    // One function stands in many nodes: one for each way to call it.
    const key = `${frame.functionName} ${frame.url}:${frame.lineNumber}`;
    const time = times.get(key);
    if (time === undefined) times.set(key, { frame, selfUs: lastsUs });
    else time.selfUs += lastsUs;
  }
  const functions = [...times.values()].map(({ frame, selfUs }) => describe(frame, selfUs)).toSorted(longestFirst);
  return { totalUs, idleUs, functions, packages: sumPackages(functions) };
}

/** The package that a file belongs to: `file:///…/packages/raft-core/dist/raft.js` is `raft-core`. */
export function packageOf(url: string): string {
  if (url === "") return "native";
  if (url.startsWith("node:")) return "node";
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url);
  return installed?.[1] ?? /\/packages\/([^/]+)\//.exec(url)?.[1] ?? "other";
}

function describe(frame: CallFrame, selfUs: number): FunctionTime {
  const file = frame.url.slice(frame.url.lastIndexOf("/") + 1);
  return {
    name: frame.functionName === "" ? "(anonymous)" : frame.functionName,
    package: packageOf(frame.url),
    place: file === "" ? "" : `${file}:${frame.lineNumber + 1}`,
    selfUs,
  };
}

function sumPackages(functions: readonly FunctionTime[]): SelfTimes["packages"] {
  const sums = new Map<string, number>();
  for (const time of functions) sums.set(time.package, (sums.get(time.package) ?? 0) + time.selfUs);
  return [...sums].map(([name, selfUs]) => ({ name, selfUs })).toSorted(longestFirst);
}

function longestFirst(a: { readonly selfUs: number }, b: { readonly selfUs: number }): number {
  return b.selfUs - a.selfUs;
}
