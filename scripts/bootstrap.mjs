// Makes a clone ready to run: packages installed, sources built. Says nothing when nothing is to do.
import { existsSync, readFileSync } from "node:fs";
import { root, run, runAsProgram, tool } from "./command.mjs";

/** The sentence that a too old Node.js gets, or null. `range` is package.json's `engines.node`, such as `>=20.19`. */
export function nodeTooOld(version, range) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [majorMin = 0, minorMin = 0] = range.replace(/^>=/, "").split(".").map(Number);
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return null;
  return `Node.js ${version} is too old, RaftKV needs ${majorMin}.${minorMin} or newer`;
}

/**
 * The first package of `lock` (package-lock.json) that `installed` (npm's record inside node_modules, null if there is none) lacks
 * or has in another version, or null. Optional packages may be missing: they exist per platform.
 */
export function firstMissingPackage(lock, installed) {
  for (const [path, wanted] of Object.entries(lock.packages)) {
    if (!path.includes("node_modules/")) continue;
    const found = installed?.packages[path];
    if (found === undefined ? !(wanted.optional ?? false) : found.version !== wanted.version) return path;
  }
  return null;
}

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

/** Installs and builds what is missing or out of date. Throws with a sentence if that fails. */
export async function bootstrap() {
  const tooOld = nodeTooOld(process.versions.node, readJson(`${root}package.json`).engines.node);
  if (tooOld !== null) throw new Error(tooOld);

  const missing = firstMissingPackage(readJson(`${root}package-lock.json`), readJson(`${root}node_modules/.package-lock.json`));
  if (missing !== null) {
    console.error("raftkv: installing packages");
    const status = await run("npm", ["ci", "--loglevel=error"]);
    if (status !== 0) throw new Error(`npm ci failed with status ${status}`);
  }

  // tsc -b itself knows what is out of date, also after a build that failed; with nothing to do it takes 0.2 s.
  const status = await run(tool("tsc"), ["-b"]);
  if (status !== 0) throw new Error(`the build failed with status ${status}`);
}

await runAsProgram(import.meta.url, bootstrap);
