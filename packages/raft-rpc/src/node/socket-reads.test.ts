import { expect, test } from "vitest";
import { SocketStream } from "./socket-stream.ts";
import { type SocketLink, socketLinks, turn } from "./testing/socket-links.ts";

const pieces = 400;
const pieceBytes = 5000;

/** Byte n of what is sent is n modulo 251. */
const sent = Uint8Array.from({ length: pieces * pieceBytes }, (_, at) => at % 251);

async function send({ stream }: SocketLink): Promise<void> {
  for (let at = 0; at < sent.length; at += pieceBytes) {
    stream.write(sent.subarray(at, at + pieceBytes));
    if ((at / pieceBytes) % 3 === 0) await turn();
  }
}

class Received {
  readonly #bytes = new Uint8Array(sent.length);
  #length = 0;

  add(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Whether it is what was sent, once as much has come. */
  async isWhole(): Promise<boolean> {
    while (this.#length < sent.length) await turn();
    return Buffer.compare(this.#bytes, sent) === 0;
  }
}

/** Reads the other end of a link. */
function read({ socket }: SocketLink, onData: (bytes: Uint8Array) => void): SocketStream {
  const reader = new SocketStream(socket);
  reader.setHandlers({ onData, onDrain: () => undefined, onClose: () => undefined });
  return reader;
}

for (const { name, open, isAbsent } of socketLinks) {
  test.skipIf(isAbsent)(`over ${name} what is read is handed over without the socket's buffer`, async () => {
    const link = await open();
    const received = new Received();
    read(link, (bytes) => received.add(bytes));
    await send(link);
    expect(await received.isWhole()).toBe(true);
    expect(link.socket.readableDidRead).toBe(false);
    link.close();
  });

  test.skipIf(isAbsent)(`over ${name} a stream that is paused now and then hands over everything once and in order`, async () => {
    const link = await open();
    const received = new Received();
    let count = 0;
    let isPaused = false;
    const reader = read(link, (bytes) => {
      expect(isPaused).toBe(false);
      received.add(bytes);
      if (count++ % 3 !== 0) return;
      reader.pause();
      isPaused = true;
      const goOn = (turnsLeft: number): void => {
        if (turnsLeft > 0) return void setImmediate(goOn, turnsLeft - 1);
        isPaused = false;
        reader.resume();
      };
      goOn(count % 20);
    });
    await send(link);
    expect(await received.isWhole()).toBe(true);
    link.close();
  });

  test.skipIf(isAbsent)(`over ${name} whoever else listens to the socket gets everything, too`, async () => {
    const link = await open();
    const received = new Received();
    const overheard = new Received();
    read(link, (bytes) => received.add(bytes));
    link.socket.on("data", (chunk) => overheard.add(chunk));
    await send(link);
    expect(await received.isWhole()).toBe(true);
    expect(await overheard.isWhole()).toBe(true);
    link.close();
  });

  test.skipIf(isAbsent)(`over ${name} who gets the socket reads on, from the bytes that are given back`, async () => {
    const link = await open();
    const received = new Received();
    let count = 0;
    const reader = read(link, (bytes) => {
      if (++count < 5) return received.add(bytes);
      const socket = reader.release(bytes);
      socket.on("data", (chunk) => received.add(chunk));
      socket.resume();
    });
    await send(link);
    expect(await received.isWhole()).toBe(true);
    link.close();
  });
}
