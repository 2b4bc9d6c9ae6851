import type { MemberProcess } from "../cluster/member-process.ts";

export const faultNames = ["kill", "pause", "stop"] as const;
/** What befalls the leader: SIGKILL, SIGSTOP or SIGTERM. */
export type FaultName = (typeof faultNames)[number];

/** Makes the fault undone: the member runs again, on its data. Resolves to a sentence if it did not do what it was told, or to null. */
export type Heal = () => Promise<string | null>;

const stopGraceMs = 10_000;

/** Sends the signal before it returns. */
export function strike(fault: FaultName, member: MemberProcess): Heal {
  return strikes[fault](member);
}

const strikes: Readonly<Record<FaultName, (member: MemberProcess) => Heal>> = {
  kill(member) {
    member.kill();
    return async () => {
      await member.ended;
      member.restart();
      return null;
    };
  },
  pause(member) {
    member.freeze();
    return () => {
      member.resume();
      return Promise.resolve(null);
    };
  },
  stop(member) {
    const stopped = member.stop(stopGraceMs);
    return async () => {
      const wentByItself = await stopped;
      member.restart();
      return wentByItself ? null : `${member.plan.name} had to be killed ${stopGraceMs / 1000} s after SIGTERM`;
    };
  },
};
