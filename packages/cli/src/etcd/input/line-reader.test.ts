import { expect, test } from "vitest";
import { LineReader } from "./line-reader.ts";

async function* pieces(...texts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield typeof text === "string" ? Buffer.from(text) : text;
}

async function all(reader: LineReader): Promise<readonly string[]> {
  const lines: string[] = [];
  for (let line = await reader.next(); line !== null; line = await reader.next()) lines.push(line);
  return lines;
}

test("lines come without the spaces around them, however the input is cut", async () => {
  expect(await all(new LineReader(pieces("  o", "ne \n\nt", "wo\r\n \n")))).toEqual(["one", "", "two", ""]);
});

test("a character may be cut in two", async () => {
  const [first, second] = [Buffer.from("ä\n").subarray(0, 1), Buffer.from("ä\n").subarray(1)];
  expect(await all(new LineReader(pieces(first, second)))).toEqual(["ä"]);
});

test("a last line without an end is not read", async () => {
  expect(await all(new LineReader(pieces("one\ntwo")))).toEqual(["one"]);
});

test("what is not text, or has no end, is refused", async () => {
  await expect(new LineReader(pieces(Uint8Array.of(0xff, 0x0a))).next()).rejects.toThrow('The line "ÿ" is not UTF-8');
  const endless = Array.from({ length: 5 }, () => new Uint8Array(1024 * 1024).fill(0x61));
  await expect(new LineReader(pieces(...endless)).next()).rejects.toThrow("A line of the input is longer than 4194304 bytes");
});
