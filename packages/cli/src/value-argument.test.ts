import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryTerminal } from "./memory-terminal.ts";
import { decodeArgument, inputBytesMax, readValue } from "./value-argument.ts";

test("text is UTF-8", () => {
  expect([...decodeArgument("ä", "text", "Key")]).toEqual([0xc3, 0xa4]);
});

test("hex gives every byte string", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(decodeArgument(Buffer.from(bytes).toString("hex"), "hex", "Key")).toEqual(Buffer.from(bytes));
    }),
  );
});

test.each(["f", "0g", "00 11"])('"%s" is no hex, which is a usage error', (text) => {
  expect(() => decodeArgument(text, "hex", "Key")).toThrow(
    expect.objectContaining({ exitStatus: 64, message: `Key "${text}" is not pairs of hex digits` }),
  );
});

test("a dash takes standard input byte for byte, with its last newline", async () => {
  const terminal = new MemoryTerminal([Buffer.from("one\n"), new Uint8Array([0xff, 0x00]), Buffer.from("\n")]);
  expect(await readValue("-", "text", terminal)).toEqual(
    Buffer.concat([Buffer.from("one\n"), new Uint8Array([0xff, 0x00]), Buffer.from("\n")]),
  );
});

test("a dash takes hex digits from standard input", async () => {
  expect(await readValue("-", "hex", new MemoryTerminal([Buffer.from("00ff\n")]))).toEqual(Buffer.from([0, 255]));
});

test("standard input is not read without end", async () => {
  const chunk = new Uint8Array(1024 * 1024);
  const terminal = new MemoryTerminal(Array.from({ length: inputBytesMax / chunk.length + 1 }, () => chunk));
  await expect(readValue("-", "text", terminal)).rejects.toThrow("Standard input is longer than 16777216 bytes");
});
