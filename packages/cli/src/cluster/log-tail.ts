import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const tailBytesMax = 8192;

/** The last lines of a log file, empty if there is none. */
export function readLogTail(path: string, linesMax: number): readonly string[] {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(size, tailBytesMax));
    const length = readSync(file, buffer, 0, buffer.length, size - buffer.length);
    const lines = buffer.toString("utf8", 0, length).trimEnd().split("\n");
    // The first line may be cut if the file is longer than what was read.
    return lines
      .slice(size > tailBytesMax ? 1 : 0)
      .slice(-linesMax)
      .filter((line) => line !== "");
  } finally {
    closeSync(file);
  }
}
