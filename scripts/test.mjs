// `npm test -- [vitest arguments]`: every test but the long ones, on a fresh build. `npm run test:long`: those. The last line is
// `N passed, N failed`.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { bootstrap } from "./bootstrap.mjs";
import { root, run, runAsProgram, tool } from "./command.mjs";
import { countTests, summaryLine } from "./summary.mjs";

const reportPath = `${root}coverage/vitest.json`;
/** The projects of vitest.config.ts whose tests run in minutes, all together. */
const shortProjects = ["--project=unit", "--project=system"];

function readReport() {
  if (!existsSync(reportPath)) return null;
  try {
    return JSON.parse(readFileSync(reportPath, "utf8"));
  } catch (error) {
    console.error(`raftkv: ${reportPath} is no report: ${error.message}`);
    return null;
  }
}

/** Runs the tests and prints the last line; returns the exit status. */
export async function runTests(args) {
  let status = 1;
  // The report of an earlier run must not speak for one that crashed.
  rmSync(reportPath, { force: true });
  try {
    status = await run(tool("vitest"), ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${reportPath}`, ...args]);
  } catch (error) {
    console.error(`raftkv: ${error.message}`);
  }
  const counts = countTests(readReport(), status);
  console.log(summaryLine(counts));
  return status === 0 && counts.failed === 0 ? 0 : 1;
}

await runAsProgram(import.meta.url, async (args) => {
  try {
    await bootstrap();
  } catch (error) {
    console.error(`raftkv: ${error.message}`);
    console.log(summaryLine(countTests(null, 1)));
    return 1;
  }
  return runTests(args.some((arg) => arg.startsWith("--project")) ? args : [...shortProjects, ...args]);
});
