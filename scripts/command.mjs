import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** Path of a program that an installed package brings, such as `tsc`. */
export function tool(name) {
  return `${root}node_modules/.bin/${name}`;
}

/**
 * Runs a program in the repository, in this terminal, and resolves to its exit status, 1 if a signal ended it.
 * While it runs, signals are its business: a terminal sends Ctrl-C to it as well, the others are passed on.
 */
export function run(program, args, { env = process.env, stdin = "inherit" } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, env, stdio: [stdin, "inherit", "inherit"] });
    const wait = () => undefined;
    const passOn = (signal) => child.kill(signal);
    process.on("SIGINT", wait).on("SIGTERM", passOn).on("SIGHUP", passOn);
    const settle = (then) => {
      process.off("SIGINT", wait).off("SIGTERM", passOn).off("SIGHUP", passOn);
      then();
    };
    child.once("error", (error) => settle(() => reject(new Error(`${program} could not be started: ${error.message}`, { cause: error }))));
    child.once("close", (status) => settle(() => resolve(status ?? 1)));
  });
}

/** Runs `main` if `url` is the file that node was started with; what it returns is the exit status, what it throws one line. */
export async function runAsProgram(url, main) {
  if (process.argv[1] === undefined || fileURLToPath(url) !== realpathSync(process.argv[1])) return;
  try {
    process.exitCode = (await main(process.argv.slice(2))) ?? 0;
  } catch (error) {
    console.error(`raftkv: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
