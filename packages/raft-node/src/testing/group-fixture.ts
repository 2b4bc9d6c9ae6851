import { MemoryGroup, type MemoryMember } from "./memory-group.ts";

export const text = (line: string): Uint8Array => new TextEncoder().encode(line);

type GroupOptions = Parameters<typeof MemoryGroup.start>[1];

let open: MemoryGroup[] = [];

/** Members that have just been started. Call `closeGroups` after each test. */
export async function groupOf(ids: readonly number[], options: GroupOptions = {}): Promise<MemoryGroup> {
  const group = await MemoryGroup.start(ids, options);
  open.push(group);
  return group;
}

/** Three members, one of them elected. */
export async function electedGroup(options: GroupOptions = {}): Promise<MemoryGroup> {
  const group = await groupOf([1, 2, 3], options);
  await group.elect();
  await group.advance(200);
  return group;
}

export async function closeGroups(): Promise<void> {
  const groups = open;
  open = [];
  for (const group of groups) await group.close();
}

/** What the member applied, changes of members aside. */
export function commands({ journal }: MemoryMember): readonly string[] {
  return journal.lines.filter((line) => !line.startsWith("voters"));
}

/** What each member that runs has applied, sorted: nothing twice, and everywhere the same, if each list is the expected one. */
export function commandsEverywhere(group: MemoryGroup): readonly (readonly string[])[] {
  const living = [...group.members.values()].filter(({ id }) => !group.stopped.has(id));
  return living.map((member) => [...commands(member)].sort());
}
