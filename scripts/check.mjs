// `npm run check`: everything that must hold before a change goes in, fast steps first. The last line is `N passed, N failed`.
import { bootstrap } from "./bootstrap.mjs";
import { root, run, runAsProgram, tool } from "./command.mjs";
import { countTests, summaryLine } from "./summary.mjs";
import { runTests } from "./test.mjs";

const staticSteps = [
  ["build", bootstrap],
  ["format", () => run(tool("biome"), ["ci", "."])],
  ["lint", () => run(tool("oxlint"), ["--deny-warnings"])],
  ["types, with the tests", () => run(tool("tsc"), ["-p", "tsconfig.tests.json"])],
  ["import directions", () => run(process.execPath, [`${root}scripts/import-directions.mjs`])],
  ["dead code and undeclared packages", () => run(tool("knip"), [])],
];

async function passes([name, step]) {
  const startMs = performance.now();
  console.log(`\n── ${name}`);
  let status = 1;
  try {
    status = (await step()) ?? 0;
  } catch (error) {
    console.error(`raftkv: ${error.message}`);
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(status === 0 ? `── ${name}: passed in ${seconds} s` : `── ${name}: FAILED after ${seconds} s`);
  return status === 0;
}

await runAsProgram(import.meta.url, async (args) => {
  for (const step of staticSteps) {
    if (await passes(step)) continue;
    console.log(summaryLine(countTests(null, 1)));
    return 1;
  }
  console.log("\n── tests");
  return runTests(args);
});
