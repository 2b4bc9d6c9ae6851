import { runProgram } from "../program.ts";
import { runLogStoreBench } from "./log-store-bench.ts";
import { parseLogStoreBenchOptions, usage } from "./log-store-options.ts";

process.exitCode = await runProgram({ name: "bench", usage, parse: parseLogStoreBenchOptions, run: runLogStoreBench });
