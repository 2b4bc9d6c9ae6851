// Checks the import directions of .dependency-cruiser.mjs, and that it really looked: with a TypeScript compiler it can't use,
// dependency-cruiser reads no file and passes.
import { readdirSync, readFileSync } from "node:fs";
import { cruise } from "dependency-cruiser";
import config from "../.dependency-cruiser.mjs";
import { root, runAsProgram } from "./command.mjs";

/** Paths of the TypeScript sources of all packages, relative to the repository. */
function sourceFiles() {
  return readdirSync(`${root}packages`).flatMap((name) =>
    readdirSync(`${root}packages/${name}/src`, { recursive: true })
      .filter((file) => file.endsWith(".ts") && !file.split("/").includes("generated"))
      .map((file) => `packages/${name}/src/${file}`),
  );
}

/** `from → to` of each dependency between our packages that a package.json declares. */
function declaredEdges() {
  return readdirSync(`${root}packages`).flatMap((name) => {
    const { dependencies = {} } = JSON.parse(readFileSync(`${root}packages/${name}/package.json`, "utf8"));
    return Object.keys(dependencies)
      .filter((dependency) => dependency.startsWith("@raftkv/"))
      .map((dependency) => `${name} → ${dependency.slice("@raftkv/".length)}`);
  });
}

const packageOf = (path) => /^packages\/([^/]+)\//.exec(path)?.[1];

await runAsProgram(import.meta.url, async () => {
  process.chdir(root);
  const { forbidden, options } = config;
  const { output } = await cruise(["packages", "tests"], { ...options, ruleSet: { forbidden }, validate: true });
  const findings = output.summary.violations.map(
    ({ from, to, rule, comment }) => `${from} → ${to}: ${rule.name}${comment ? `, ${comment}` : ""}`,
  );

  const cruised = new Set(output.modules.map((module) => module.source));
  for (const file of sourceFiles()) if (!cruised.has(file)) findings.push(`${file}: was not looked at`);

  const seen = new Set();
  for (const { source, dependencies } of output.modules) {
    for (const { resolved } of dependencies) seen.add(`${packageOf(source)} → ${packageOf(resolved)}`);
  }
  for (const edge of declaredEdges()) if (!seen.has(edge)) findings.push(`${edge}: declared in package.json, but no file imports it`);

  for (const finding of findings) console.error(finding);
  console.log(`${output.summary.totalCruised} modules, ${output.summary.totalDependenciesCruised} imports, ${findings.length} findings`);
  return findings.length === 0 ? 0 : 1;
});
