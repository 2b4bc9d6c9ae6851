import { etcdserverpb } from "@raftkv/api";

const { AlarmType } = etcdserverpb;

/** The kinds of alarms that can be raised. */
export type AlarmKind = typeof AlarmType.NOSPACE | typeof AlarmType.CORRUPT;

/** An alarm that a member raised, or somebody for it. */
export interface Alarm {
  /** uint64. */
  readonly memberId: bigint;
  readonly kind: AlarmKind;
}

/** Which alarms a request means: 0 every member, NONE every kind. */
export interface AlarmSelection {
  readonly memberId: bigint;
  readonly kind: etcdserverpb.AlarmType;
}

/** Alarms at once, of all members: more than real members could raise, and little enough to hold. */
const ALARMS_MAX = 1024;

/** The alarms of the cluster: replicated, so that all members refuse the same requests. Ordered by member and kind. */
export class AlarmTable {
  private alarms: readonly Alarm[] = [];

  get all(): readonly Alarm[] {
    return this.alarms;
  }

  has(kind: AlarmKind): boolean {
    return this.alarms.some((alarm) => alarm.kind === kind);
  }

  select(selection: AlarmSelection): readonly Alarm[] {
    return this.alarms.filter((alarm) => isSelected(alarm, selection));
  }

  /** Returns the alarm that is raised now, whether it was before or not; none if the kind is unknown or NONE, or too many are raised. */
  activate({ memberId, kind }: AlarmSelection): readonly Alarm[] {
    if (!isAlarmKind(kind)) return [];
    const raised = this.select({ memberId, kind }).find((alarm) => alarm.memberId === memberId);
    if (raised !== undefined) return [raised];
    if (this.alarms.length >= ALARMS_MAX) return [];
    const alarm: Alarm = { memberId, kind };
    this.alarms = [...this.alarms, alarm].sort(compare);
    return [alarm];
  }

  /** Returns the alarms that were raised and are not any more. */
  deactivate(selection: AlarmSelection): readonly Alarm[] {
    const ended = this.select(selection);
    if (ended.length > 0) this.alarms = this.alarms.filter((alarm) => !isSelected(alarm, selection));
    return ended;
  }

  /** Takes the alarms of a snapshot. */
  replace(alarms: readonly Alarm[]): void {
    this.alarms = [...alarms].sort(compare);
  }
}

export function isAlarmKind(kind: etcdserverpb.AlarmType): kind is AlarmKind {
  return kind === AlarmType.NOSPACE || kind === AlarmType.CORRUPT;
}

function isSelected(alarm: Alarm, { memberId, kind }: AlarmSelection): boolean {
  return (memberId === 0n || alarm.memberId === memberId) && (kind === AlarmType.NONE || alarm.kind === kind);
}

function compare(a: Alarm, b: Alarm): number {
  if (a.memberId !== b.memberId) return a.memberId < b.memberId ? -1 : 1;
  return a.kind - b.kind;
}
