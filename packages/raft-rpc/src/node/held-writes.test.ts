import type { Socket } from "node:net";
import { expect, test } from "vitest";
import type { SocketStream } from "./socket-stream.ts";
import { socketLinks, turn } from "./testing/socket-links.ts";

const pieceBytes = 64 * 1024;

async function untilFree(writer: SocketStream): Promise<void> {
  while (writer.holdsWritten) await turn();
}

/** Reads so many bytes; the first of each piece. */
function firstsOf(reader: Socket, pieces: number): Promise<readonly number[]> {
  const firsts: number[] = [];
  let byteCount = 0;
  return new Promise((resolve) => {
    reader.on("data", (chunk: Buffer) => {
      for (let at = (pieceBytes - (byteCount % pieceBytes)) % pieceBytes; at < chunk.length; at += pieceBytes) firsts.push(chunk[at] ?? -1);
      byteCount += chunk.length;
      if (byteCount === pieces * pieceBytes) resolve(firsts);
    });
  });
}

for (const { name, open, isAbsent } of socketLinks) {
  test.skipIf(isAbsent)(`over ${name} what the other end does not read is held, until it does`, async () => {
    const { stream: writer, socket: reader, close } = await open();
    let pieces = 0;
    do {
      writer.write(new Uint8Array(pieceBytes).fill(pieces++));
      for (let turns = 0; turns < 20 && writer.holdsWritten; turns++) await turn();
    } while (!writer.holdsWritten);
    const firsts = firstsOf(reader, pieces);
    reader.resume();
    await untilFree(writer);
    expect(await firsts).toEqual(Array.from({ length: pieces }, (_, place) => place % 256));
    close();
  });

  test.skipIf(isAbsent)(`over ${name} memory that is not held any more may be written again`, async () => {
    const { stream: writer, socket: reader, close } = await open();
    const pieces = 500;
    const firsts = firstsOf(reader, pieces);
    reader.resume();
    const memory = new Uint8Array(pieceBytes);
    for (let place = 0; place < pieces; place++) {
      writer.write(memory.fill(place));
      await untilFree(writer);
      memory.fill(0xff);
    }
    expect(await firsts).toEqual(Array.from({ length: pieces }, (_, place) => place % 256));
    close();
  });
}
