import { describe, expect, test } from "vitest";
import { clientOpening, echoPath, frameFloods, joined, waitPath } from "../conformance/attacks/frame-floods.ts";
import { Flag, FrameType, SettingId } from "../http2/frame.ts";
import { controlFrameUnits, lingerBytesMax, turnUnitsMax } from "../limits.ts";
import { ascii, frameBytes, grpcRequestFields, type RawPeer, uint32 } from "../testing/raw-peer.ts";
import { type ServerFixture, startServer } from "../testing/server-fixture.ts";

const { DATA, PING, SETTINGS, WINDOW_UPDATE } = FrameType;
/** A frame costs a unit at least; the last may cost more than what is left. */
const shareFrames = turnUnitsMax;
const attackers = 4;
const floodRounds = 3000;

const update = frameBytes(WINDOW_UPDATE, 0, 0, uint32(1));

function repeated(piece: Uint8Array, count: number): Uint8Array {
  return joined(...Array.from({ length: count }, () => piece));
}

/** How many frames of all connections the server handles in each turn, until nothing is left or `isOver`. */
function framesOfTurns({ clock, server }: ServerFixture, isOver = (): boolean => false): number[] {
  const counts: number[] = [];
  let before = server.counters.framesReceived;
  while (!isOver() && clock.endTurn()) {
    counts.push(server.counters.framesReceived - before);
    before = server.counters.framesReceived;
  }
  return counts;
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

describe("a connection gets one share of a turn", () => {
  test("all that it sends in one moment is handled, in order and in slices", () => {
    const fixture = startServer();
    const client = fixture.startedPeer();
    client.send(repeated(update, 2000), ...client.unary(1, echoPath, ascii("a")));
    const counts = framesOfTurns(fixture);
    expect(Math.max(...counts)).toBeLessThanOrEqual(shareFrames);
    expect([total(counts), client.status(1), client.goaway]).toEqual([2002, "0", null]);
  });

  test("a hundred calls at once are one slice", () => {
    const fixture = startServer();
    const client = fixture.startedPeer();
    for (let id = 1; id < 200; id += 2) client.send(...client.unary(id, echoPath, new Uint8Array(200)));
    expect(framesOfTurns(fixture).filter((count) => count > 0)).toEqual([200]);
  });

  test("many messages in one frame cost as much as many frames", () => {
    const fixture = startServer();
    let messages = 0;
    fixture.dispatcher.addStream("/x.Y/Count", (call) =>
      call.setHandlers({ onMessage: () => messages++, onEnd: () => call.end(), onCancel: () => undefined, onDrain: () => undefined }),
    );
    const client = fixture.startedPeer();
    const emptyMessages = frameBytes(DATA, 0, 1, new Uint8Array(5 * 3000));
    client.send(
      client.headers(1, grpcRequestFields("/x.Y/Count")),
      repeated(emptyMessages, 4),
      client.data(1, new Uint8Array(0), Flag.END_STREAM),
    );
    const counts = framesOfTurns(fixture);
    expect([Math.max(...counts), messages, client.status(1)]).toEqual([2, 12_000, "0"]);
  });

  test("streams whose connection is over end in slices, and then it has closed", () => {
    const fixture = startServer();
    const { clock, dispatcher, server } = fixture;
    let cancelled = 0;
    dispatcher.addUnary(waitPath, (_message, call) => {
      call.onCancel = () => cancelled++;
    });
    const client = fixture.startedPeer();
    for (let id = 1; id < 2000; id += 2) client.send(...client.unary(id, waitPath, new Uint8Array(0)));
    clock.settle();
    expect(server.counters.handlersRunning).toBe(1000);
    client.stream.destroy();
    const counts: number[] = [];
    while (clock.endTurn()) {
      counts.push(cancelled - total(counts));
      expect(server.counters.connectionsOpen).toBe(cancelled === 1000 ? 0 : 1);
    }
    expect([Math.max(...counts), cancelled]).toEqual([turnUnitsMax / controlFrameUnits, 1000]);
  });

  test("SETTINGS that change the windows of many streams cost as much as many frames", () => {
    const fixture = startServer();
    fixture.dispatcher.addUnary(waitPath, () => undefined);
    const client = fixture.startedPeer();
    for (let id = 1; id < 2000; id += 2) client.send(...client.unary(id, waitPath, new Uint8Array(0)));
    fixture.clock.settle();
    client.send(repeated(frameBytes(SETTINGS, 0, 0, [0, SettingId.INITIAL_WINDOW_SIZE, 0, 1, 0, 0]), 50));
    expect(Math.max(...framesOfTurns(fixture))).toBeLessThan(10);
  });

  test("what waits is counted as held, and dropped with its connection", () => {
    const fixture = startServer();
    const client = fixture.startedPeer();
    client.send(repeated(update, 5000));
    framesOfTurns(fixture, () => fixture.server.heldBytes > 0);
    expect(fixture.server.heldBytes).toBeGreaterThan(40_000);
    fixture.clock.settle();
    expect(fixture.server.heldBytes).toBe(0);
    client.send(repeated(update, 5000));
    framesOfTurns(fixture, () => fixture.server.heldBytes > 0);
    client.stream.destroy();
    fixture.clock.settle();
    expect([fixture.server.heldBytes, fixture.server.counters.connectionsOpen]).toEqual([0, 0]);
  });

  test("a client that does not read its answers is not served on, but when it reads again", () => {
    const fixture = startServer({ stream: { highWaterBytes: 1000 } });
    const { counters } = fixture.server;
    const client = fixture.startedPeer();
    client.stream.pause();
    // Each answer says that nobody knows the path.
    const path = `/x.Y/${"N".repeat(1000)}`;
    const request = (id: number): Uint8Array => client.headers(id, grpcRequestFields(path), Flag.END_HEADERS | Flag.END_STREAM);
    client.send(...Array.from({ length: 600 }, (_, place) => request(1 + 2 * place)));
    fixture.clock.settle();
    expect(counters.framesReceived).toBeLessThan(400);
    client.stream.resume();
    fixture.clock.settle();
    expect([client.status(1199), client.goaway]).toEqual(["12", null]);
  });
});

describe("beside a flood at line rate a call takes as many turns as without, and few frames come between", () => {
  /** Turns until a call of the client is answered, and the frames that the server handles until then. */
  function answered(fixture: ServerFixture, client: RawPeer, streamId: number): { readonly turns: number; readonly frames: number } {
    client.send(...client.unary(streamId, echoPath, ascii("a")));
    const counts = framesOfTurns(fixture, () => client.status(streamId) !== null);
    expect(client.status(streamId)).toBe("0");
    return { turns: counts.length, frames: total(counts) };
  }

  test.each(frameFloods)("$name", ({ opening, round }) => {
    const fixture = startServer();
    fixture.dispatcher.addUnary(waitPath, () => undefined);
    const client = fixture.startedPeer();
    const alone = answered(fixture, client, 1);
    const flood = joined(clientOpening(), opening, ...Array.from({ length: floodRounds }, (_, count) => round(count)));
    for (let count = 0; count < attackers; count++) fixture.peer().send(flood);
    const beside = Array.from({ length: 20 }, (_, place) => answered(fixture, client, 3 + 2 * place));
    expect(Math.max(...beside.map(({ turns }) => turns))).toBe(alone.turns);
    // Each attacker begins with a share; then all of them have one together in a turn.
    expect(Math.max(...beside.map(({ frames }) => frames))).toBeLessThanOrEqual(shareFrames * (attackers + alone.turns));
  });
});

test("after GOAWAY some of what still comes is read over, so that the client may find it; then the connection is cut off", () => {
  const { clock, server, startedPeer } = startServer();
  const client = startedPeer();
  client.stream.pause();
  client.send(frameBytes(PING, 0, 1, new Uint8Array(8)));
  clock.settle();
  client.send(new Uint8Array(lingerBytesMax));
  clock.settle();
  expect([server.counters.connectionsOpen, client.closed]).toEqual([1, false]);
  client.send(new Uint8Array(1));
  clock.settle();
  expect([server.counters.connectionsOpen, client.closed]).toEqual([0, true]);
});
