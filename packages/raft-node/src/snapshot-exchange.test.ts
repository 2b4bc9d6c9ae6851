import { afterEach, expect, test } from "vitest";
import { closeGroups, groupOf, text } from "./testing/group-fixture.ts";
import { watched } from "./testing/watched.ts";

afterEach(closeGroups);

test("a member that stops gives up the snapshot that it writes", async () => {
  const group = await groupOf([1], { snapshotCount: 2 });
  await group.elect();
  const { node, journal, store } = group.member(1);
  let made = 0;
  let isClosed = false;
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      await Promise.resolve();
      group.time.nowMs++;
      made++;
      yield text("more");
    }
  };
  journal.snapshot = (index) => ({
    index,
    chunks: endless,
    close: () => {
      isClosed = true;
    },
  });
  const before = store.recovered.snapshot;
  for (const line of ["a", "b", "c"]) void watched(node.propose(text(line)));
  await group.advance(50);
  expect(made).toBeGreaterThan(1);
  const seen = watched(node.close());
  await group.advance(50);
  expect(seen).toMatchObject({ value: undefined });
  const madeUntilClosed = made;
  await group.advance(50);
  expect({ isClosed, made }).toEqual({ isClosed: true, made: madeUntilClosed });
  expect(store.recovered.snapshot).toEqual(before);
});
