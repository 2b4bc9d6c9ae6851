import { setTimeout as pause } from "node:timers/promises";
import type { Cluster, InStep } from "../cluster/cluster.ts";
import type { SystemName } from "../cluster/system.ts";
import { type FaultName, strike } from "./fault.ts";
import { ProbeLoad } from "./probe-load.ts";
import type { ProbeWrites } from "./probe-writes.ts";
import { readBack, readMembers } from "./read-back.ts";
import { TrialTimeline, type TrialTimes } from "./trial-timeline.ts";

export interface TrialPlan {
  readonly fault: FaultName;
  /** Puts before the signal; varies, so that the signal comes at any moment between two heartbeats. */
  readonly leadInMs: number;
}

export interface TrialResult extends TrialPlan {
  readonly system: SystemName;
  /** Number of the trial of this cluster, from 1. */
  readonly trial: number;
  /** Null: it failed. */
  readonly times: TrialTimes | null;
  readonly attempts: number;
  readonly acknowledged: number;
  /** How often each error came, by its sentence. */
  readonly errors: Readonly<Record<string, number>>;
  /** A sentence for each thing that went wrong; puts that were refused in between are none. */
  readonly problems: readonly string[];
  /** Acknowledged puts that are not there, or other ones than were sent: one sentence each. */
  readonly wrongWrites: readonly string[];
}

/** A trial in which no put succeeds for so long has failed. */
const trialMaxMs = 20_000;
const lookEveryMs = 20;

/**
 * Waits until all members are in step, strikes the leader while puts go through the others, waits until both take them from the next leader, heals,
 * waits until all are in step again, and reads the puts back from each member. Rejects with a sentence if the cluster does not come back, or with
 * the reason of the signal; the struck member may still be down then.
 */
export async function runTrial(cluster: Cluster, plan: TrialPlan, writes: ProbeWrites, signal: AbortSignal): Promise<TrialResult> {
  const inStep = await cluster.waitInStep(signal);
  const timeline = new TrialTimeline({ survivors: inStep.followers.length, term: inStep.term });
  const probes = new ProbeLoad({
    channels: inStep.followers.map(({ channel }) => channel),
    writes,
    onAcknowledged: (acknowledgement) => timeline.acknowledged(acknowledgement),
  });
  const problems = await strikeWhileProbing({ inStep, plan, timeline, probes }, signal);
  await cluster.waitInStep(signal);
  return {
    ...plan,
    system: cluster.system.name,
    trial: writes.trial,
    times: timeline.movedEarly ? null : timeline.times(),
    attempts: writes.sent,
    acknowledged: writes.acknowledged.size,
    errors: Object.fromEntries(probes.errors),
    problems,
    wrongWrites: await readBack(readMembers(cluster), writes),
  };
}

interface TrialRun {
  readonly inStep: InStep;
  readonly plan: TrialPlan;
  readonly timeline: TrialTimeline;
  readonly probes: ProbeLoad;
}

/** From the first put until the leader that was struck runs again. Resolves to what went wrong. */
async function strikeWhileProbing({ inStep, plan, timeline, probes }: TrialRun, signal: AbortSignal): Promise<readonly string[]> {
  probes.start();
  try {
    await pause(plan.leadInMs, undefined, { signal });
    const signalledMs = performance.now();
    timeline.signalled(signalledMs);
    const heal = strike(plan.fault, inStep.leader.process);
    while (timeline.times() === null && performance.now() < signalledMs + trialMaxMs) await pause(lookEveryMs, undefined, { signal });
    probes.stop();
    const disobedience = await heal();
    return [
      ...(timeline.times() === null ? [`no put was acknowledged through both survivors within ${trialMaxMs / 1000} s`] : []),
      ...(timeline.movedEarly ? ["the leader had changed before the signal"] : []),
      ...(disobedience === null ? [] : [disobedience]),
    ];
  } finally {
    probes.stop();
  }
}
