import { runProgram } from "../program.ts";
import { runKvstoreBench } from "./kvstore-bench.ts";
import { kvstoreUsage, parseKvstoreBenchOptions } from "./kvstore-options.ts";

process.exitCode = await runProgram({ name: "bench", usage: kvstoreUsage, parse: parseKvstoreBenchOptions, run: runKvstoreBench });
