// `npm run attacks -w packages/raft-rpc -- [options]`: what a server's other clients feel while it is attacked. The program runs in this process.
import { bootstrap } from "./bootstrap.mjs";
import { root, runAsProgram } from "./command.mjs";

await runAsProgram(import.meta.url, async (args) => {
  await bootstrap();
  const program = `${root}packages/raft-rpc/dist/benchmark/attacks/main.js`;
  process.argv.splice(1, process.argv.length, program, ...args);
  await import(program);
  return process.exitCode;
});
