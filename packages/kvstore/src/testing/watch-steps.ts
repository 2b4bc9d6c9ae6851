import fc from "fast-check";
import { assert } from "../assertion.ts";
import { WatchClient } from "./watch-client.ts";
import { bytes, text, WatchWorld } from "./watch-world.ts";

const key = fc.constantFrom("a", "b", "c", "ab", "abc", "abcdef", "abcdeg", "d").map(bytes);
const rangeEnd = fc.oneof(fc.constant(bytes("")), fc.constant(bytes("\0")), key);
const clientNumber = fc.nat({ max: 2 });
const creation = fc.record({
  key,
  rangeEnd,
  startRevision: fc.oneof(fc.constant(0), fc.nat({ max: 60 })),
  prevKv: fc.boolean(),
  noPut: fc.boolean(),
  noDelete: fc.boolean(),
  progressNotify: fc.boolean(),
});
type Write =
  | { readonly kind: "put"; readonly key: Uint8Array; readonly value: string }
  | { readonly kind: "deleteRange"; readonly key: Uint8Array; readonly rangeEnd: Uint8Array };
const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("put" as const), key, value: fc.stringMatching(/^[a-z]{1,4}$/) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("deleteRange" as const), key, rangeEnd }) },
);

/** A world, and clients that watch it. */
class WatchRun {
  readonly world = new WatchWorld();
  readonly clients = [new WatchClient(this.world), new WatchClient(this.world), new WatchClient(this.world)];
}

/** With a name, so that a failure shows what was done. */
interface Step {
  readonly take: (run: WatchRun) => void;
  toString(): string;
}

function named(name: string, take: (run: WatchRun) => void): Step {
  return { take, toString: () => name };
}

function writeStep(writes: readonly Write[]): Step {
  const [first] = writes;
  if (first?.kind === "deleteRange") {
    return named(`delete ${text(first.key)} ${text(first.rangeEnd)}`, ({ world }) =>
      world.write(() => world.deleteRange(first.key, first.rangeEnd)),
    );
  }
  // A transaction writes a key once.
  const pairs = new Map(writes.flatMap((each) => (each.kind === "put" ? [[text(each.key), each.value] as const] : [])));
  return named(`put ${[...pairs]}`, ({ world }) => world.write(() => pairs.forEach((value, name) => world.put(bytes(name), value))));
}

const clientStep: fc.Arbitrary<Step> = fc
  .tuple(clientNumber, fc.nat(), fc.constantFrom("create", "create", "begin", "cancel", "read", "ask", "interval", "leave"), creation)
  .map(([at, number, kind, wanted]) => {
    const act = (chosen: WatchClient): void => {
      if (kind === "create") chosen.create(wanted);
      else if (kind === "begin") chosen.begin();
      else if (kind === "cancel") chosen.cancel(number);
      else if (kind === "read") chosen.read(1 + (number % 9));
      else if (kind === "ask") chosen.askForProgress();
      else if (kind === "interval") chosen.intervalIsOver();
      else if (number % 4 === 0) chosen.leave();
    };
    const detail = kind === "create" ? `${text(wanted.key)} ${text(wanted.rangeEnd)} from ${wanted.startRevision}` : number;
    return named(`client ${at}: ${kind} ${detail}`, ({ clients }) => {
      const chosen = clients[at];
      if (chosen !== undefined) act(chosen);
    });
  });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.array(write, { minLength: 1, maxLength: 4 }).map(writeStep) },
  { weight: 12, arbitrary: clientStep },
  { weight: 1, arbitrary: fc.nat({ max: 60 }).map((revision) => named(`compact ${revision}`, ({ world }) => world.compact(revision))) },
  { weight: 1, arbitrary: fc.nat({ max: 9 }).map((count) => named(`reclaim ${count}`, ({ world }) => void world.store.reclaim(count))) },
  {
    weight: 1,
    arbitrary: fc.array(key, { maxLength: 6 }).map((keys) => named(`restore ${keys.map(text)}`, ({ world }) => world.restoreLater(keys))),
  },
  {
    weight: 4,
    arbitrary: fc.nat({ max: 4 }).map((steps) =>
      named(`turn of ${steps}`, ({ world }) => {
        let left = steps;
        world.hub.runTurn(() => --left > 0);
      }),
    ),
  },
);

/** Does random things to a store and its watchers, and checks that each watcher sees what it has to. */
export function checkRandomWatches(numRuns: number): void {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 120 }), (steps) => {
      const run = new WatchRun();
      const { clients, world } = run;
      const { hub } = world;
      for (const { take } of steps) take(run);
      for (const client of clients) client.read(Number.POSITIVE_INFINITY);
      for (const client of clients) client.begin();
      hub.runTurn(() => true);
      assert(hub.slowCount === 0, "In the end nobody lacks anything");
      for (const client of clients) client.checkNothingMissing();
      for (const client of clients) client.checkProgressIsTold();
      const open = clients.flatMap(({ watchers }) => [...watchers.values()].filter(({ state }) => state === "open"));
      assert(hub.watcherCount === open.length, "All watchers that live are counted");
      for (const client of clients) client.leave();
      hub.runTurn(() => true);
      assert(hub.watcherCount === 0 && hub.spanBytes === 0, "Nobody is left behind");
    }),
    { numRuns },
  );
}
