import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { RequestBodies } from "./request-bodies.ts";

/** Reads a body of this size, which comes in two pieces; resolves with what came of it. */
function read(bodies: RequestBodies, bytes: number): Promise<{ readonly outcome: string; readonly release: () => void }> {
  const request = new PassThrough();
  const outcome = new Promise<{ readonly outcome: string; readonly release: () => void }>((resolve) => {
    bodies.read(request, {
      onText: (text, release) => resolve({ outcome: `${text.length} bytes`, release }),
      onRefused: ({ message }) => resolve({ outcome: message, release: () => undefined }),
    });
  });
  request.write("x".repeat(bytes - 1));
  request.end("x");
  return outcome;
}

test("a body is read up to its limit", async () => {
  const bodies = new RequestBodies({ bytesMax: 10, heldBytesMax: 100 });
  const outcomes = [(await read(bodies, 10)).outcome, (await read(bodies, 11)).outcome];
  expect(outcomes).toEqual(["10 bytes", "raftkv: the request is larger than 10 bytes"]);
});

test("all bodies together have a limit, and count until nothing of their calls is needed", async () => {
  const bodies = new RequestBodies({ bytesMax: 100, heldBytesMax: 250 });
  const held = [await read(bodies, 100), await read(bodies, 100)];
  expect(held.map(({ outcome }) => outcome)).toEqual(["100 bytes", "100 bytes"]);
  expect((await read(bodies, 60)).outcome).toBe("raftkv: too many requests are being received, try again");
  expect((await read(bodies, 10)).outcome).toBe("10 bytes");
  held[0]?.release();
  held[0]?.release();
  expect((await read(bodies, 60)).outcome).toBe("60 bytes");
  expect((await read(bodies, 100)).outcome).toContain("try again");
});

test("a body whose client goes counts no more", async () => {
  const bodies = new RequestBodies({ bytesMax: 100, heldBytesMax: 100 });
  const request = new PassThrough();
  bodies.read(request, { onText: () => undefined, onRefused: () => undefined });
  request.write("x".repeat(60));
  await new Promise((resolve) => setImmediate(resolve));
  expect((await read(bodies, 60)).outcome).toContain("try again");
  request.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  expect((await read(bodies, 60)).outcome).toBe("60 bytes");
});
