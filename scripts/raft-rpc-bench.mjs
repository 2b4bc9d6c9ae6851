// `npm run bench -w packages/raft-rpc -- [options]`: how fast raft-rpc is beside others, built first. The program runs in this process.
import { bootstrap } from "./bootstrap.mjs";
import { root, runAsProgram } from "./command.mjs";

await runAsProgram(import.meta.url, async (args) => {
  await bootstrap();
  const program = `${root}packages/bench/dist/rpc/main.js`;
  process.argv.splice(1, process.argv.length, program, ...args);
  await import(program);
  return process.exitCode;
});
