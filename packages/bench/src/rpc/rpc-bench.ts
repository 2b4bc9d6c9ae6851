import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, cpus, loadavg, release, tmpdir, type } from "node:os";
import { withTemporaryFolder } from "../log-store/temporary-folder.ts";
import { exitFaulty, exitOk, type ProgramOutput } from "../program.ts";
import { h2loadVersion } from "./load/h2load.ts";
import { findPythonWithGrpc } from "./peers/python-server.ts";
import { RpcBed } from "./rpc-bed.ts";
import type { RpcBenchOptions } from "./rpc-options.ts";
import { measureRpcPart, type RpcPartResult } from "./rpc-part.ts";
import { formatRpcParts } from "./rpc-report.ts";
import { judgeRpcTargets } from "./rpc-targets.ts";

/** Runs the parts that the options name. Resolves to the exit status. Rejects with a sentence, or the reason of the signal. */
export function runRpcBench(options: RpcBenchOptions, output: ProgramOutput, signal: AbortSignal): Promise<number> {
  return withTemporaryFolder(tmpdir(), async (folder) => {
    const versions = describeVersions();
    for (const line of versions) output.line(line);
    const bed = new RpcBed(options, folder);
    const results: RpcPartResult[] = [];
    for (const name of options.parts) {
      try {
        const part = await bed.part(name);
        if (part !== null) results.push(await measureRpcPart(part, options, output, signal));
      } finally {
        await bed.stop();
      }
    }
    for (const sentence of bed.missing) output.line(sentence);
    output.line("");
    for (const line of formatRpcParts(results)) output.line(line);
    const verdicts = options.check ? judgeRpcTargets(results) : [];
    for (const { sentence, isMet } of verdicts) output.line(`${isMet ? "met   " : "MISSED"}  ${sentence}`);
    if (options.jsonFile !== null)
      await writeFile(options.jsonFile, `${JSON.stringify({ versions, options, results, verdicts }, null, 2)}\n`);
    const failed = results.some(({ cells }) => cells.some((cell) => cell.results.some(({ failures }) => failures.length > 0)));
    return failed || verdicts.some(({ isMet }) => !isMet) ? exitFaulty : exitOk;
  });
}

/** The machine, how busy it is before anything begins, and what is compared. */
function describeVersions(): readonly string[] {
  const { version } = createRequire(import.meta.url)("@grpc/grpc-js/package.json") as { readonly version: string };
  const python = findPythonWithGrpc();
  const others = [
    `@grpc/grpc-js ${version}`,
    h2loadVersion(),
    python === null ? null : `grpc C-core ${python.version} by ${python.program}`,
  ];
  const [load = 0] = loadavg();
  return [
    `machine  ${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? "unknown"}, ${type()} ${release()}, load ${load.toFixed(1)} before`,
    `Node.js ${process.version}, ${others.filter((other) => other !== null).join(", ")}`,
  ];
}
