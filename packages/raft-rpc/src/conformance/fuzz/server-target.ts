import { assert } from "../../assert.ts";
import { clientPreface } from "../../http2/frame.ts";
import { startServer } from "../../testing/server-fixture.ts";
import { clientConversations } from "./corpus/conversations.ts";
import { FrameSequences } from "./frame-sequence.ts";
import type { FuzzTarget } from "./fuzz-run.ts";
import type { SeededRandom } from "./seeded-random.ts";

const cutBytesMax = 100;

/** A whole connection of a server: it answers or closes, gives everything back, and answers the same however the bytes are cut. */
export class ServerTarget implements FuzzTarget {
  readonly name = "server connection";
  readonly #sequences = new FrameSequences(clientConversations);

  makeInput(random: SeededRandom): Uint8Array {
    return this.#sequences.make(random);
  }

  execute(input: Uint8Array, random: SeededRandom): string {
    const whole = serve(input, () => Number.MAX_SAFE_INTEGER);
    const cut = serve(input, () => 1 + random.below(cutBytesMax));
    assert(whole.join("\n") === cut.join("\n"), `Whole it answers ${whole.join(", ")}, cut it answers ${cut.join(", ")}`);
    const goaway = whole.find((answer) => answer.startsWith("GOAWAY"));
    if (goaway !== undefined) return goaway;
    return whole.some((answer) => answer.includes("grpc-status=0")) ? "answered" : "open";
  }
}

function serve(input: Uint8Array, cut: () => number): readonly string[] {
  const fixture = startServer({ stream: { cut } });
  const { clock, server, reports } = fixture;
  const peer = fixture.peer();
  peer.send(clientPreface, peer.settings([]), peer.settingsAck(), input);
  clock.settle();
  const answers = peer.summary();
  peer.stream.destroy();
  clock.settle();
  const { connectionsOpen, streamsOpen, handlersRunning } = server.counters;
  assert(connectionsOpen === 0 && streamsOpen === 0 && handlersRunning === 0, "Nothing is left of a connection");
  assert(!reports.some((report) => report.startsWith("Assertion")), "No assertion of the server is broken");
  return answers;
}
