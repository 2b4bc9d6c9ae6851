import { expect, test } from "vitest";
import { Flag, FrameType } from "../http2/frame.ts";
import { hex } from "../testing/raw-peer.ts";
import { frame, requestBlock, type Step, serverOutcome } from "./server-script.ts";

/** A request whose header block goes on with these octets. */
function block(octets: string): Step {
  return frame(FrameType.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 1, [...requestBlock, ...hex(octets)]);
}

test.each<[section: string, title: string, step: Step]>([
  ["2.3.3/1", "an indexed field above the tables", block("c6")],
  ["2.3.3/2", "a literal whose name is above the tables", block("7f07 05 76616c7565")],
  ["4.2/1", "a table size update at the end of a block", block("20")],
  ["5.2/1", "Huffman padding of more than 7 bits", block("00 85 f2b24a84ff 84 49509fff")],
  ["5.2/2", "Huffman padding of zeros", block("00 85 f2b24a84ff 83 495090")],
  ["5.2/3", "EOS in a Huffman string", block("00 88 f2b24a84ffffffff 83 49509f")],
  ["6.1/1", "index 0", block("80")],
  ["6.3/1", "a table size update above the setting", frame(FrameType.HEADERS, 5, 1, [...hex("3fe11fe11f"), ...requestBlock])],
  ["6.3", "a table size update one above the setting", frame(FrameType.HEADERS, 5, 1, [...hex("3fe21f"), ...requestBlock])],
])("hpack %s: %s is a COMPRESSION_ERROR of the connection", (_section, _title, step) => {
  expect(serverOutcome(step)).toBe("connection COMPRESSION_ERROR");
});
