import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { heapGrowthFlag } from "./full-collections.ts";

test("this version of Node.js knows the flag", async () => {
  const program = `require("node:v8").setFlagsFromString("${heapGrowthFlag}")`;
  expect(await promisify(execFile)(process.execPath, ["-e", program])).toEqual({ stdout: "", stderr: "" });
});
