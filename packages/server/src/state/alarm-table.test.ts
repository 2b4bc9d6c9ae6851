import { etcdserverpb } from "@raftkv/api";
import { describe, expect, test } from "vitest";
import { AlarmTable } from "./alarm-table.ts";

const { AlarmType } = etcdserverpb;
const noSpace = { memberId: 7n, kind: AlarmType.NOSPACE };

describe("an alarm table", () => {
  test("raises an alarm once, and answers it each time", () => {
    const table = new AlarmTable();
    expect(table.activate(noSpace)).toEqual([noSpace]);
    expect(table.activate(noSpace)).toEqual([noSpace]);
    expect(table.all).toEqual([noSpace]);
    expect(table.has(AlarmType.NOSPACE)).toBe(true);
    expect(table.has(AlarmType.CORRUPT)).toBe(false);
  });

  test("shows alarms in one order, all of them or those of a kind", () => {
    const table = new AlarmTable();
    const corrupt = { memberId: 7n, kind: AlarmType.CORRUPT };
    const others = { memberId: 2n ** 63n, kind: AlarmType.NOSPACE };
    for (const alarm of [others, corrupt, noSpace]) table.activate(alarm);
    expect(table.ofKind(AlarmType.NONE)).toEqual([noSpace, corrupt, others]);
    expect(table.ofKind(AlarmType.NOSPACE)).toEqual([noSpace, others]);
  });

  test("ends the very alarm that is named, and no other", () => {
    const table = new AlarmTable();
    table.activate(noSpace);
    expect(table.deactivate({ memberId: 0n, kind: AlarmType.NOSPACE })).toEqual([]);
    expect(table.deactivate({ memberId: 7n, kind: AlarmType.NONE })).toEqual([]);
    expect(table.deactivate(noSpace)).toEqual([noSpace]);
    expect(table.deactivate(noSpace)).toEqual([]);
    expect(table.all).toEqual([]);
  });

  test("keeps a limited number of alarms, whatever is asked", () => {
    const table = new AlarmTable();
    for (let id = 0n; id < 1024n; id++) expect(table.activate({ memberId: id, kind: AlarmType.NONE })).toHaveLength(1);
    expect(table.activate({ memberId: 1024n, kind: AlarmType.NONE })).toEqual([]);
    expect(table.all).toHaveLength(1024);
  });
});
