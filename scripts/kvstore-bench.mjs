// `npm run bench -w packages/kvstore -- [options]`: how fast the key-value store is, built first. The program runs in this process.
import { bootstrap } from "./bootstrap.mjs";
import { root, runAsProgram } from "./command.mjs";

await runAsProgram(import.meta.url, async (args) => {
  await bootstrap();
  const program = `${root}packages/bench/dist/kvstore/main.js`;
  process.argv.splice(1, process.argv.length, program, ...args);
  await import(program);
  return process.exitCode;
});
