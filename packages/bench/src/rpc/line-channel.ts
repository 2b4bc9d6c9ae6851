import { createInterface } from "node:readline";

/**
 * The other end of a `LineProcess`: says what `hello` is, then answers each line of the standard input, one after the other, until it ends.
 * Every line holds one JSON value.
 */
export async function answerLines(hello: unknown, answer: (request: unknown) => unknown): Promise<void> {
  writeLine(hello);
  for await (const line of createInterface({ input: process.stdin })) writeLine(await answer(JSON.parse(line)));
}

function writeLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
