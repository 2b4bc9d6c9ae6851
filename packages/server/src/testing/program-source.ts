import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

/**
 * The source of a program for `node --input-type=module -e` that runs `statements` after the exports of the module at `entry` were
 * imported as `module`. For what only a process of its own can show: exits, signals, kills.
 */
export function programSource(entry: URL, statements: string): string {
  const path = fileURLToPath(entry);
  const contents = `import * as module from ${JSON.stringify(path)};\n${statements}`;
  const { outputFiles } = buildSync({
    stdin: { contents, loader: "ts", resolveDir: fileURLToPath(new URL(".", entry)) },
    bundle: true,
    conditions: ["@raftkv/source"],
    external: ["pino"],
    format: "esm",
    platform: "node",
    write: false,
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`Nothing was built from ${path}`);
  return output.text;
}
