// `npm start -- [options]`: a cluster on this machine. The program runs in this process, so signals and exit status are its own.
import { bootstrap } from "./bootstrap.mjs";
import { root, runAsProgram } from "./command.mjs";

await runAsProgram(import.meta.url, async (args) => {
  await bootstrap();
  const program = `${root}packages/cli/bin/raftkv.js`;
  process.argv.splice(1, process.argv.length, program, "cluster", ...args);
  await import(program);
  return process.exitCode;
});
