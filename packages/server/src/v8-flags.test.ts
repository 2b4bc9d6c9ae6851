import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { v8Flags } from "./v8-flags.ts";

test.each(Object.values(v8Flags))("this version of Node.js knows %s", async (flag) => {
  const program = `require("node:v8").setFlagsFromString("${flag}")`;
  expect(await promisify(execFile)(process.execPath, ["-e", program])).toEqual({ stdout: "", stderr: "" });
});
