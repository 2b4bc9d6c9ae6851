import { runProgram } from "../program.ts";
import { runFailover } from "./failover.ts";
import { parseFailoverOptions, usage } from "./failover-options.ts";
import { runSteady } from "./steady.ts";

process.exitCode = await runProgram({
  name: "failover",
  usage,
  parse: parseFailoverOptions,
  run(options, output, signal) {
    const { steadyMs } = options;
    return steadyMs === null ? runFailover(options, output, signal) : runSteady({ ...options, steadyMs }, output, signal);
  },
});
