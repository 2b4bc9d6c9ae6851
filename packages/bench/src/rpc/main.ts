import { runProgram } from "../program.ts";
import { runRpcBench } from "./rpc-bench.ts";
import { parseRpcBenchOptions, rpcUsage } from "./rpc-options.ts";

process.exitCode = await runProgram({ name: "bench", usage: rpcUsage, parse: parseRpcBenchOptions, run: runRpcBench });
