import { etcdserverpb } from "@raftkv/api";

const { AlarmType } = etcdserverpb;

/** A number of `etcdserverpb.AlarmType`, or one that is unknown: such an alarm is kept and shown, and does nothing. */
export type AlarmKind = etcdserverpb.AlarmType;

/** An alarm that a member raised, or somebody for it. */
export interface Alarm {
  /** uint64. */
  readonly memberId: bigint;
  readonly kind: AlarmKind;
}

/** Alarms at once, of all members: more than real members could raise, and little enough to hold. */
const ALARMS_MAX = 1024;

/** The alarms of the cluster: replicated, so that all members refuse the same requests. */
export class AlarmTable {
  private alarms: readonly Alarm[] = [];

  /** Ascending by member and kind. */
  get all(): readonly Alarm[] {
    return this.alarms;
  }

  has(kind: AlarmKind): boolean {
    return this.alarms.some((alarm) => alarm.kind === kind);
  }

  isRaised(alarm: Alarm): boolean {
    return this.alarms.some((other) => isSame(other, alarm));
  }

  /** NONE stands for all kinds. */
  ofKind(kind: AlarmKind): readonly Alarm[] {
    return kind === AlarmType.NONE ? this.alarms : this.alarms.filter((alarm) => alarm.kind === kind);
  }

  /** Returns the alarm, whether it was raised before or not; none if there are too many. */
  activate(alarm: Alarm): readonly Alarm[] {
    if (this.isRaised(alarm)) return [alarm];
    if (this.alarms.length >= ALARMS_MAX) return [];
    this.alarms = [...this.alarms, alarm].sort(compare);
    return [alarm];
  }

  /** Returns the alarm if it was raised. */
  deactivate(alarm: Alarm): readonly Alarm[] {
    if (!this.isRaised(alarm)) return [];
    this.alarms = this.alarms.filter((other) => !isSame(other, alarm));
    return [alarm];
  }

  /** Takes the alarms of a snapshot. */
  replace(alarms: readonly Alarm[]): void {
    this.alarms = [...alarms].sort(compare);
  }
}

function isSame(a: Alarm, b: Alarm): boolean {
  return a.memberId === b.memberId && a.kind === b.kind;
}

function compare(a: Alarm, b: Alarm): number {
  if (a.memberId !== b.memberId) return a.memberId < b.memberId ? -1 : 1;
  return a.kind - b.kind;
}
