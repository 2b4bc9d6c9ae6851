import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BenchOptions } from "../bench-options.ts";
import { raftkvSystem, type System } from "../cluster/system.ts";
import { type Round, takeTurn } from "../comparison.ts";
import type { TestBed } from "../test-bed.ts";
import { parseCpuProfile } from "./cpu-profile.ts";
import { analyseSelfTimes, type SelfTimes } from "./self-time.ts";

export interface MemberProfile {
  readonly member: string;
  readonly isLeader: boolean;
  readonly times: SelfTimes;
}

export interface ProfileResult {
  readonly round: Round;
  readonly members: readonly MemberProfile[];
}

const samplingUs = 250;

/** RaftKV whose members write `NAME.cpuprofile` into `directory` when SIGTERM ends them. Who leads is not known before, so all do. */
export function profiledSystem(directory: string): Promise<System> {
  return raftkvSystem((member) => [
    "--cpu-prof",
    `--cpu-prof-interval=${samplingUs}`,
    `--cpu-prof-dir=${directory}`,
    `--cpu-prof-name=${member}.cpuprofile`,
  ]);
}

/** Puts the first system under load for one long round, ends it, and reads what its members wrote, for the time of the round. */
export async function runProfile(bed: TestBed<BenchOptions>, signal: AbortSignal): Promise<ProfileResult> {
  const { workloads, shapes, rounds, roundMs, warmUpMs, seed } = bed.options;
  const [subject, workload, shape] = [bed.subjects[0], workloads[0], shapes.at(-1)];
  if (subject === undefined || workload === undefined || shape === undefined) throw new RangeError("There is nothing to profile");
  const turn = { bed, subject, workload, shape };
  if (warmUpMs > 0) await takeTurn({ ...turn, seed, durationMs: warmUpMs }, signal);
  const startUs = nowUs();
  const round = await takeTurn({ ...turn, seed: seed + 1, durationMs: rounds * roundMs }, signal);
  const window = { startUs, endUs: nowUs() };
  const { members, leader } = subject.cluster;
  const names = members.map((member) => ({ member: member.process.plan.name, isLeader: member === leader }));
  const killed = await bed.stopMembers();
  if (killed.length > 0) throw new Error(`${killed.join(", ")} did not end within their time, so there is no profile`);
  const profiles = names.map(async ({ member, isLeader }): Promise<MemberProfile> => {
    const profile = parseCpuProfile(await readFile(join(bed.directory, `${member}.cpuprofile`), "utf8"));
    return { member, isLeader, times: analyseSelfTimes(profile, window) };
  });
  return { round, members: await Promise.all(profiles) };
}

/** The clock of profiles. */
function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
