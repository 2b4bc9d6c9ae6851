import { runBench } from "./bench.ts";
import { parseBenchOptions, usage } from "./bench-options.ts";
import { runProgram } from "./program.ts";

process.exitCode = await runProgram({ name: "bench", usage, parse: parseBenchOptions, run: runBench });
